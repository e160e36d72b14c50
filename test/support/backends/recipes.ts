import { spawnSync } from "node:child_process";
import { join } from "node:path";

const EXAMPLES_DIR = join(import.meta.dirname, "../../../docs/guides/examples");

/** How one of the backend examples is started as a process of its own. */
export interface Recipe {
  /** Undefined when this machine has what it takes; else what is missing. */
  missing: string | undefined;
  command: (port: number) => [program: string, ...args: string[]];
  environment?: Record<string, string>;
}

export const EXPRESS: Recipe = {
  missing: undefined,
  command: () => [process.execPath, join(EXAMPLES_DIR, "express/server.ts")],
};

const PYTHON = ["python3", "/usr/bin/python3"].find((python) =>
  runs(python, "-c", "import fastapi, uvicorn, httpx, jwt"),
);

export const FASTAPI: Recipe = {
  missing: PYTHON === undefined ? "there is no Python with fastapi, uvicorn, httpx and pyjwt" : undefined,
  command: (port) => {
    const app = ["main:app", "--app-dir", join(EXAMPLES_DIR, "fastapi"), "--port", String(port)];
    return [PYTHON ?? "python3", "-B", "-m", "uvicorn", ...app];
  },
};

const HAS_RAILS = runs("ruby", "-e", 'require "action_controller/railtie"; require "httparty"; require "puma"');

export const RAILS: Recipe = {
  missing: HAS_RAILS ? undefined : "there is no Ruby with rails, httparty and puma",
  command: (port) => ["puma", "-q", "-b", `tcp://127.0.0.1:${port}`, join(import.meta.dirname, "rails.ru")],
  environment: { CONTROLLER: join(EXAMPLES_DIR, "rails/chat_tokens_controller.rb"), RAILS_ENV: "production" },
};

const HAS_LARAVEL = runs(
  "php",
  "-r",
  'require "Illuminate/autoload.php"; require "GuzzleHttp/autoload.php"; curl_init();',
);

export const LARAVEL: Recipe = {
  missing: HAS_LARAVEL
    ? undefined
    : "there is no PHP with Debian's php-laravel-framework, php-guzzlehttp-guzzle and php-curl",
  command: (port) => ["php", "-S", `127.0.0.1:${port}`, join(import.meta.dirname, "laravel.php")],
  environment: { CONTROLLER: join(EXAMPLES_DIR, "laravel/ChatTokenController.php") },
};

function runs(program: string, ...args: string[]): boolean {
  return spawnSync(program, args).status === 0;
}
