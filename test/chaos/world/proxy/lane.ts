import type { Socket } from "node:net";
import { FrameCutter, textFrame, textOf, typeOf } from "./frames.ts";
import type { ActiveRule, Direction } from "./rules.ts";

/** How long a frame that is to change places waits for another one. */
const SWAP_PATIENCE_MS = 250;
/** More than this is not held: the sender's own connection fills up then. */
const HELD_MAX_BYTES = 4 * 1_024 * 1_024;

export type Goodbye = "fin" | "rst";

/** One direction of a WebSocket connection: whole frames come in, and go out as the rules in force say. */
export class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #direction: Direction;
  readonly #cutter = new FrameCutter();
  readonly #queue: { frame: Buffer; dueAt: number }[] = [];
  readonly #pauses = new Set<string>();
  #queuedBytes = 0;
  #hang: ActiveRule | undefined;
  #delay: ActiveRule | undefined;
  #alters: readonly ActiveRule[] = [];
  #touched = new WeakSet<ActiveRule>();
  #kept: { line: string; rule: ActiveRule } | undefined;
  #keptTimer: NodeJS.Timeout | undefined;
  #pumpTimer: NodeJS.Timeout | undefined;
  #goodbye: Goodbye | undefined;

  constructor(from: Socket, to: Socket, direction: Direction) {
    this.#from = from;
    this.#to = to;
    this.#direction = direction;
    from.on("data", (chunk: Buffer) => this.#take(chunk));
    to.on("drain", () => this.go("full"));
  }

  /** Whether the other side has gone and this one has not been told. */
  get isHaunted(): boolean {
    return this.#goodbye !== undefined && this.#hang !== undefined;
  }

  /** Goes by these rules from now on. */
  follow(rules: readonly ActiveRule[]): void {
    const mine = rules.filter(({ rule }) => "directions" in rule && rule.directions.includes(this.#direction));
    this.#hang = mine.find(({ rule }) => rule.do === "hang");
    this.#delay = mine.find(({ rule }) => rule.do === "delay");
    this.#alters = mine.filter(({ rule }) => rule.do === "drop" || rule.do === "double" || rule.do === "swap");
    if (this.#kept !== undefined && !this.#alters.includes(this.#kept.rule)) this.#release();
    this.#pump();
  }

  /** Reads no more, for a reason; with none left it goes on. */
  wait(reason: string): void {
    this.#pauses.add(reason);
    this.#from.pause();
  }

  go(reason: string): void {
    this.#pauses.delete(reason);
    if (this.#pauses.size === 0) this.#from.resume();
  }

  /** Ends the way out once all that is held has left. */
  finish(goodbye: Goodbye): void {
    this.#goodbye ??= goodbye;
    this.#hold(this.#hang);
    this.#pump();
  }

  #take(chunk: Buffer): void {
    let frames = this.#cutter.push(chunk);
    if (this.#alters.length > 0 || this.#kept !== undefined) frames = frames.flatMap((frame) => this.#alter(frame));
    this.#emit(frames);
  }

  #emit(frames: readonly Buffer[]): void {
    if (frames.length === 0) return;
    this.#hold(this.#hang);
    const isFree = this.#hang === undefined && this.#delay === undefined && this.#queue.length === 0;
    if (isFree) return this.#write(frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames));
    const dueAt = performance.now() + this.#delayMs(frames.length);
    for (const frame of frames) {
      this.#queue.push({ frame, dueAt });
      this.#queuedBytes += frame.length;
    }
    if (this.#queuedBytes > HELD_MAX_BYTES) this.wait("held");
    this.#pump();
  }

  #delayMs(frames: number): number {
    const rule = this.#delay?.rule;
    if (this.#delay === undefined || rule?.do !== "delay") return 0;
    this.#delay.hits += frames;
    return rule.delayMs;
  }

  /** Counts a connection once for each rule that has really kept something back. */
  #hold(rule: ActiveRule | undefined): void {
    if (rule === undefined || this.#touched.has(rule)) return;
    this.#touched.add(rule);
    rule.hits++;
  }

  #pump(): void {
    clearTimeout(this.#pumpTimer);
    if (this.#hang !== undefined) return;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const waitMs = next.dueAt - performance.now();
      if (waitMs > 0) {
        this.#pumpTimer = setTimeout(() => this.#pump(), waitMs);
        return;
      }
      this.#queue.shift();
      this.#queuedBytes -= next.frame.length;
      this.#write(next.frame);
    }
    this.go("held");
    if (this.#goodbye === "fin") this.#to.end();
    else if (this.#goodbye === "rst") this.#to.resetAndDestroy();
  }

  #write(bytes: Buffer): void {
    if (this.#to.writable && !this.#to.write(bytes)) this.wait("full");
  }

  #alter(frame: Buffer): Buffer[] {
    const text = textOf(frame);
    if (text === undefined) return [frame];
    const lines = text.split("\n");
    const kept = lines.flatMap((line) => this.#alterLine(line));
    if (kept.length === lines.length && kept.every((line, index) => line === lines[index])) return [frame];
    // Who sends several lines in a frame reads them, too; to others every line goes by itself.
    const texts = lines.length > 1 && kept.length > 0 ? [kept.join("\n")] : kept;
    return texts.map((each) => textFrame(each, this.#direction === "up"));
  }

  #alterLine(line: string): string[] {
    const type = typeOf(line);
    for (const active of this.#alters) {
      const { rule } = active;
      if (!("types" in rule) || !rule.types.includes(type)) continue;
      if (rule.do === "swap" && this.#kept !== undefined) {
        const { line: earlier } = this.#forgetKept();
        active.hits++;
        return [line, earlier];
      }
      if (!active.strikes()) continue;
      if (rule.do === "swap") return this.#keep(line, active);
      active.hits++;
      return rule.do === "drop" ? [] : [line, line];
    }
    return [line];
  }

  #keep(line: string, rule: ActiveRule): [] {
    this.#kept = { line, rule };
    this.#keptTimer = setTimeout(() => this.#release(), SWAP_PATIENCE_MS);
    return [];
  }

  #forgetKept(): { line: string } {
    const kept = this.#kept ?? { line: "" };
    clearTimeout(this.#keptTimer);
    this.#kept = undefined;
    return kept;
  }

  #release(): void {
    if (this.#kept === undefined) return;
    this.#emit([textFrame(this.#forgetKept().line, this.#direction === "up")]);
  }
}
