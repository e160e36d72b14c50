import * as z from "zod";

const RootPackage = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
});

/** `package.json` of what apps install. Files lie next to it, so tools that know no `exports` find them as well. */
export function clientManifest(root: unknown): Record<string, unknown> {
  const { name, version, license } = RootPackage.parse(root);
  return {
    name,
    version,
    description: "Chat for apps: rooms, and messages that are never lost. Without dependencies, with hooks for React.",
    license,
    type: "module",
    sideEffects: false,
    main: "./index.js",
    types: "./index.d.ts",
    exports: {
      ".": { types: "./index.d.ts", default: "./index.js" },
      "./react": { types: "./react.d.ts", default: "./react.js" },
      "./package.json": "./package.json",
    },
    files: ["*.js", "*.js.map", "*.d.ts"],
    engines: { node: ">=20" },
    peerDependencies: { react: ">=18" },
    peerDependenciesMeta: { react: { optional: true } },
  };
}
