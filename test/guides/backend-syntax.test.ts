import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

const EXAMPLES = "docs/guides/examples";
const PARSE_PYTHON = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
const CASES: [name: string, program: string, ...args: string[]][] = [
  ["FastAPI", "python3", "-c", PARSE_PYTHON, `${EXAMPLES}/fastapi/main.py`],
  ["Rails", "ruby", "-c", `${EXAMPLES}/rails/chat_tokens_controller.rb`],
  ["Laravel", "php", "-l", `${EXAMPLES}/laravel/ChatTokenController.php`],
];

// What they do is tried by test/stack/backend-examples.test.ts, where there are the frameworks they need.
describe("a backend example in another language", () => {
  it.for(CASES)("S3-15 parses: %s", ([, program, ...args], { skip }) => {
    skip(spawnSync(program, ["--version"]).status !== 0, `there is no ${program}`);
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
    expect(status === 0 ? "" : `${status} ${stdout}${stderr}`).toBe("");
  });
});
