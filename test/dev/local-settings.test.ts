import { parseEnv } from "node:util";
import { expect, it } from "vitest";
import { findSetting, overlaySettings } from "../../dev/local-settings.ts";
import { formatEnv } from "../../dev/worker.ts";

it("the environment wins over the stack's own settings", () => {
  const own = { ENVIRONMENT: "development", PUBLIC_URL: "http://127.0.0.1:8787" };
  const environment = {
    PUBLIC_URL: " https://chat.example ",
    CLERK_JWT_ISSUER: "https://id.example",
    EMPTY: "",
    PATH: "/bin",
  };
  expect(overlaySettings(own, environment)).toEqual({
    ENVIRONMENT: "development",
    PUBLIC_URL: "https://chat.example",
    CLERK_JWT_ISSUER: "https://id.example",
  });
});

it("an alias in the environment takes the place of the stack's own setting, so the two cannot disagree", () => {
  const own = { CHAT_JWT_SECRET: "own", PARTY_URL: "http://127.0.0.1:1999" };
  expect(overlaySettings(own, { JWT_SECRET: "given", PARTYKIT_HOST: "" })).toEqual({
    JWT_SECRET: "given",
    PARTY_URL: "http://127.0.0.1:1999",
  });
});

it("two names of one setting are both handed on, for the configuration to refuse", () => {
  expect(overlaySettings({}, { CLERK_SECRET_KEY: "a", CLERK_API_KEY: "b" })).toEqual({
    CLERK_SECRET_KEY: "a",
    CLERK_API_KEY: "b",
  });
});

it("NODE_ENV, which shells set for other programs, changes nothing", () => {
  expect(overlaySettings({ ENVIRONMENT: "development" }, { NODE_ENV: "production" })).toEqual({
    ENVIRONMENT: "development",
  });
});

it("a setting is found by any of its names", () => {
  expect(findSetting({ CLERK_API_KEY: "k" }, "CLERK_SECRET_KEY")).toBe("k");
  expect(findSetting({ PORT: "  " }, "PORT")).toBeUndefined();
});

it.each([
  "plain",
  "with space # and hash",
  `"double"`,
  "it's",
  "back`tick 'and' \"all\"".replaceAll("'", ""),
  "a=b&c?d",
])("the settings file holds %s unchanged", (value) => {
  expect(parseEnv(formatEnv({ NAME: value }))).toEqual({ NAME: value });
});
