import { defineConfig } from "vitest/config";

/** The tests that `npm run test:mutation` asks of each change: those of the rules themselves, quick and in one process. */
export default defineConfig({
  test: {
    include: ["test/protocol/ids.test.ts", "test/domain/**/*.test.ts"],
    exclude: ["test/domain/spent-ids.test.ts"], // a million ids: too slow for each change
    testTimeout: 30_000,
  },
});
