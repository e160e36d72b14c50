import { spawn } from "node:child_process";

/**
 * Runs a command and makes sure that nothing of it outlives the one who asked: `node dev/keeper.ts COMMAND ARGS…`.
 *
 * It is started as the leader of a process group, so all that it starts is in that group. Its standard input is a pipe
 * from its parent; however the parent ends, `kill -9` included, the pipe closes and the whole group is ended: SIGTERM
 * first, SIGKILL for what is left.
 */
const GRACE_MS = 4_000;

const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error("Usage: node dev/keeper.ts COMMAND ARGS…");
const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
const ended = new Promise<number>((resolve) => {
  child.on("exit", (code) => resolve(code ?? 1));
  child.on("error", (error) => {
    console.error(error.message);
    resolve(127);
  });
});

process.stdin.resume();
for (const event of ["end", "close", "error"] as const) process.stdin.on(event, endAll);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, endAll);
// When the command ends by itself the parent is told how, and ends the rest of the group.
ended.then((code) => process.exit(code)).catch(() => process.exit(1));

function endAll(): void {
  signalGroup("SIGTERM");
  setTimeout(() => signalGroup("SIGKILL"), GRACE_MS);
  ended.then(() => signalGroup("SIGKILL")).catch(() => undefined);
}

/** The group has this process in it: SIGKILL is the last thing it does. */
function signalGroup(signal: NodeJS.Signals): void {
  process.kill(-process.pid, signal);
}
