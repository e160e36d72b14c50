import { existsSync } from "node:fs";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** What to do where there is none. */
export const CHROMIUM_HINT =
  "there is no Chromium: apt-get install chromium, or set CHROMIUM_PATH to a Chromium or Chrome";

/** Where a Chromium is on this machine: `CHROMIUM_PATH`, or where packages put it. */
export function findChromium(): string | undefined {
  return [process.env["CHROMIUM_PATH"], ...PLACES].find((path) => path !== undefined && existsSync(path));
}
