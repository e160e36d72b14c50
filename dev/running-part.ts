import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Child, killGroup } from "./child.ts";
import { type Part, requireFreePort, untilAllAnswer, whenOneEnds } from "./parts.ts";

type End = Awaited<Child["ended"]>;

const PORT_PATIENCE_MS = 10_000;
const PORT_POLL_MS = 100;
// How esbuild reports under both programs; the first of its lines only counts the errors.
const COMPILE_ERROR = /\[ERROR\] (?!Build failed)(.+)/;

/** How whoever holds a running stack takes a part away and brings it back. None of it counts as broken. */
export interface PartControl {
  /** The process group of its present life; 0 while it is away. */
  readonly pid: number;
  /** Ends it with all it has started, as `kill -9` does. Resolves when all of that is gone. */
  kill(): Promise<void>;
  /** Starts it anew, on the same port and with what it had kept. Resolves when it answers. */
  start(): Promise<void>;
  /** Stops it in the middle of what it does (SIGSTOP): its connections stay, nothing is answered. */
  pause(): void;
  /** Lets it go on (SIGCONT), as if no time had passed. */
  resume(): void;
  /** The process id of its runtime, `workerd`: another one after each start and each reload; 0 while there is none. */
  runtimePid(): Promise<number>;
  /** What its runtime has in memory; 0 while there is none. */
  residentBytes(): Promise<number>;
}

export interface PartFacts {
  name: "Worker" | "rooms";
  url: string;
  logFile: string;
  /** Called at each start; `again` when it is not the first. */
  launch(onLine: (line: string) => void, again: boolean): Promise<Child>;
  onLine(line: string): void;
}

/** One of the two programs that run beside this process, through all its lives. */
export class RunningPart implements Part, PartControl {
  readonly name: string;
  readonly url: string;
  readonly logFile: string;
  readonly ended: Promise<End>;
  readonly #facts: PartFacts;
  readonly #unwanted = Promise.withResolvers<End>();
  #child: Child | undefined;
  #compileError: string | undefined;
  #isAway = true;

  private constructor(facts: PartFacts) {
    this.#facts = facts;
    this.name = facts.name;
    this.url = facts.url;
    this.logFile = facts.logFile;
    this.ended = this.#unwanted.promise;
  }

  static async launch(facts: PartFacts): Promise<RunningPart> {
    const part = new RunningPart(facts);
    await part.#launch(false);
    return part;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  get compileError(): string | undefined {
    return this.#compileError;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#isAway = true;
    this.#child = undefined;
    killGroup(child.pid);
    await child.ended;
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    await this.#untilPortIsFree();
    await this.#launch(true);
    await untilAllAnswer([this], whenOneEnds([this]));
  }

  pause(): void {
    if (this.#child === undefined) return;
    this.#isAway = true;
    process.kill(-this.#child.pid, "SIGSTOP");
  }

  resume(): void {
    if (this.#child === undefined) return;
    process.kill(-this.#child.pid, "SIGCONT");
    this.#isAway = false;
  }

  async runtimePid(): Promise<number> {
    return (await this.#findRuntime()).pid;
  }

  async residentBytes(): Promise<number> {
    return (await this.#findRuntime()).residentBytes;
  }

  /** Ends it the way it wants to be ended. */
  async stop(): Promise<void> {
    this.resume(); // who is stopped hears nothing
    const child = this.#child;
    this.#isAway = true;
    this.#child = undefined;
    await child?.stop();
  }

  /** A runtime that was killed with its group may need a moment to be gone. */
  async #untilPortIsFree(): Promise<void> {
    const until = Date.now() + PORT_PATIENCE_MS;
    for (;;) {
      try {
        return await requireFreePort(Number(new URL(this.url).port), this.name === "rooms" ? "--party-port" : "--port");
      } catch (error) {
        if (Date.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, PORT_POLL_MS));
      }
    }
  }

  async #findRuntime(): Promise<{ pid: number; residentBytes: number }> {
    if (this.pid === 0) return { pid: 0, residentBytes: 0 };
    const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pgid=,pid=,rss=,comm="]);
    const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/));
    const own = rows.find(([group, , , command]) => Number(group) === this.pid && command?.endsWith("workerd"));
    return { pid: Number(own?.[1] ?? 0), residentBytes: Number(own?.[2] ?? 0) * 1_024 };
  }

  async #launch(again: boolean): Promise<void> {
    this.#compileError = undefined;
    const onLine = (line: string) => {
      this.#compileError ??= COMPILE_ERROR.exec(line)?.[1];
      this.#facts.onLine(line);
    };
    const child = await this.#facts.launch(onLine, again);
    this.#child = child;
    this.#isAway = false;
    child.ended
      .then((end) => {
        if (this.#child === child) this.#unwanted.resolve(end);
      })
      .catch(() => undefined); // it never rejects
  }
}
