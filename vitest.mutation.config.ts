import { defineConfig } from "vitest/config";

/** The tests that `npm run test:mutation` asks of each change: those of the rules, all in one process and quick. */
export default defineConfig({
  test: {
    include: ["test/protocol/**/*.test.ts", "test/domain/**/*.test.ts", "test/party/**/*.test.ts"],
    testTimeout: 30_000,
  },
});
