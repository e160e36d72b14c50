import { configDefaults, defineConfig } from "vitest/config";
import { builtClient } from "./test/support/built-client.ts";

/** Tests that start the whole stack: one file at a time, and with patience. */
const STACK = [
  "test/stack/**/*.test.ts",
  "test/page/**/*.test.ts",
  "test/smoke/**/*.test.ts",
  "test/client/**/*.stack.test.ts",
];
/** Chaos: short runs, seeded bugs, and each fault by itself. Ten minutes and more, which is too long for every check. */
const CHAOS = ["test/chaos/**/*.{stack,faults}.test.ts"];
/** What holds for the client's core, once more for the file that apps install. */
const CORE = ["bad-address", "connection", "joining", "kept", "receiving", "room-state", "sending", "tokens"].map(
  (name) => `test/client/${name}.test.ts`,
);
const UNIT_TIME_LIMIT_MS = 30_000;
const STACK_TIME_LIMIT_MS = 120_000;

const ONE_AT_A_TIME = {
  testTimeout: STACK_TIME_LIMIT_MS,
  hookTimeout: STACK_TIME_LIMIT_MS,
  pool: "forks",
  maxWorkers: 1,
  fileParallelism: false,
} as const;

export default defineConfig({
  test: {
    coverage: {
      provider: "v8",
      include: ["protocol/**/*.ts", "domain/**/*.ts", "functions/**/*.ts", "party/**/*.ts", "db/**/*.ts"],
      reporter: ["text-summary", "html", "lcov"],
    },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...STACK, ...CHAOS],
          testTimeout: UNIT_TIME_LIMIT_MS,
          hookTimeout: UNIT_TIME_LIMIT_MS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [builtClient()],
        test: { name: "built", include: CORE, testTimeout: UNIT_TIME_LIMIT_MS, sequence: { groupOrder: 0 } },
      },
      {
        test: {
          name: "stack",
          include: STACK,
          ...ONE_AT_A_TIME,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "chaos",
          include: CHAOS,
          ...ONE_AT_A_TIME,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
