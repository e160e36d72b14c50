import { configDefaults, defineConfig } from "vitest/config";
import { builtClient } from "./test/support/built-client.ts";

/** Tests that start the whole stack: a few files at a time, as they wait more than they do, and with patience. */
const STACK = [
  "test/stack/**/*.test.ts",
  "test/page/**/*.test.ts",
  "test/smoke/**/*.test.ts",
  "test/client/**/*.stack.test.ts",
];
/** Those of them that measure, and so have the machine to themselves. */
const MEASURING = ["test/page/plenty.test.ts", "test/stack/dev-command.test.ts", "test/stack/people.test.ts"];
/** Short chaos runs, and the seeded bugs that they must find. */
const CHAOS = ["test/chaos/**/*.stack.test.ts"];
/** Each fault by itself. It takes long and says little that the runs do not, so only `npm run test:chaos` has it. */
const FAULTS = ["test/chaos/**/*.faults.test.ts"];
/** What holds for the client's core, once more for the file that apps install. */
const CORE = ["bad-address", "connection", "joining", "kept", "receiving", "room-state", "sending", "tokens"].map(
  (name) => `test/client/${name}.test.ts`,
);
const UNIT_TIME_LIMIT_MS = 30_000;
const STACK_TIME_LIMIT_MS = 120_000;
const POLL_LIMIT_MS = 15_000;

const WITH_PATIENCE = {
  testTimeout: STACK_TIME_LIMIT_MS,
  hookTimeout: STACK_TIME_LIMIT_MS,
  expect: { poll: { timeout: POLL_LIMIT_MS } },
  pool: "forks",
} as const;
const STACKS_AT_ONCE = 3;
const WORLDS_AT_ONCE = 2;

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
          exclude: [...configDefaults.exclude, ...STACK, ...CHAOS, ...FAULTS],
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
          exclude: [...configDefaults.exclude, ...MEASURING],
          ...WITH_PATIENCE,
          maxWorkers: STACKS_AT_ONCE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "chaos",
          include: CHAOS,
          ...WITH_PATIENCE,
          maxWorkers: WORLDS_AT_ONCE,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "measuring",
          include: MEASURING,
          ...WITH_PATIENCE,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "faults",
          include: FAULTS,
          ...WITH_PATIENCE,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
