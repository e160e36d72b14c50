import { registerHooks } from "node:module";

/**
 * Loaded before `partykit dev`. Its code listens on every network interface, opens a debugger port and reads any `.env`
 * file it finds above, none of which it has an option for; here the lines in question are changed as it is loaded.
 */
const CHANGES = [
  { from: `host: "0.0.0.0"`, to: `host: "127.0.0.1"` },
  { from: `props.enableInspector ?? true`, to: `false` },
  { from: `envPath = findUpSync(".env")`, to: `envPath = undefined` },
  { from: `envLocalPath = findUpSync(".env.local")`, to: `envLocalPath = undefined` },
];

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    if (!url.endsWith("/partykit/dist/bin.mjs")) return loaded;
    return { ...loaded, source: changed(Buffer.from(loaded.source as Uint8Array).toString("utf8")) };
  },
});

function changed(source: string): string {
  return CHANGES.reduce((text, { from, to }) => {
    // Better not to start than to listen where nobody expects it.
    if (!text.includes(from))
      throw new Error(`This version of partykit has no ${from}: see dev/partykit-on-loopback.ts`);
    return text.replaceAll(from, to);
  }, source);
}
