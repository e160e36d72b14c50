import { DIALECTS, type Dialect, type DialectName } from "./dialect.ts";
import { Wire } from "./wire.ts";

/** What the benchmark asks of its load process, and what it is told. */
export type Order =
  | { do: "open"; url: string; dialect: DialectName; tokens: string[] }
  | { do: "saturate"; warmUpMs: number; ms: number; window: number }
  | { do: "pace"; perSecond: number; ms: number }
  | { do: "close" };
export type Told =
  | { told: "opened" | "begin" | "closed" }
  | { told: "end"; deliveries: number; sent: number; latencies: number[] }
  | { told: "failed"; message: string };

const CONTENT_CHARS = 200;
const RECEIPT_EVERY = 32;
const OPENING_AT_ONCE = 20;
const DRAIN_MS = 60_000;

/** All clients of one room: the first of them writes, all of them read. */
class Load {
  readonly #dialect: Dialect;
  readonly #wires: Wire[] = [];
  #delivered = 0;
  #sent = 0;
  #ids = 0;
  #latencies: number[] | undefined;
  #onDelivery: () => void = () => {};

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  async open(url: string, tokens: readonly string[]): Promise<void> {
    for (let at = 0; at < tokens.length; at += OPENING_AT_ONCE)
      this.#wires.push(
        ...(await Promise.all(tokens.slice(at, at + OPENING_AT_ONCE).map((token) => this.#join(url, token)))),
      );
  }

  close(): void {
    for (const wire of this.#wires) wire.close();
  }

  /** Keeps as many messages on their way as `window` until time is up, or so much was said as a room takes at once. */
  async saturate({ warmUpMs, ms, window }: Extract<Order, { do: "saturate" }>): Promise<void> {
    const { messagesMax } = this.#dialect;
    const pump = () => {
      const most = this.#delivered / this.#wires.length + window;
      while (this.#sent < Math.min(most, messagesMax)) this.#say();
    };
    this.#onDelivery = pump;
    pump();
    for (const until = performance.now() + warmUpMs; performance.now() < until && this.#sent < messagesMax / 4;)
      await sleep(1);
    const before = { delivered: this.#delivered, sent: this.#sent };
    tell({ told: "begin" });
    for (const until = performance.now() + ms; performance.now() < until && this.#sent < messagesMax;) await sleep(1);
    const deliveries = this.#delivered - before.delivered;
    tell({ told: "end", deliveries, sent: this.#sent - before.sent, latencies: [] });
    this.#onDelivery = () => {};
    await this.#drain();
  }

  /** Sends at a steady rate and notes how long each delivery took. */
  async pace({ perSecond, ms }: Extract<Order, { do: "pace" }>): Promise<void> {
    await this.#drain(); // what is left of what went before
    const latencies: number[] = [];
    this.#latencies = latencies;
    const before = { delivered: this.#delivered, sent: this.#sent };
    tell({ told: "begin" });
    const startedAt = performance.now();
    for (let said = 0; performance.now() - startedAt < ms; await sleep(1))
      for (const due = Math.ceil(((performance.now() - startedAt) / 1_000) * perSecond); said < due; said++)
        this.#say();
    await this.#drain();
    this.#latencies = undefined;
    const deliveries = this.#delivered - before.delivered;
    tell({ told: "end", deliveries, sent: this.#sent - before.sent, latencies });
  }

  async #join(url: string, token: string): Promise<Wire> {
    const dialect = this.#dialect;
    const ready = Promise.withResolvers<void>();
    let isReady = false;
    let unreported = 0;
    const wire = await Wire.open(url, dialect.headers(token), (buffer, start, end) => {
      if (!isReady) {
        isReady = dialect.isReady(buffer.toString("utf8", start, end));
        if (isReady) ready.resolve();
        return;
      }
      const count = dialect.count(buffer, start, end);
      this.#delivered += count;
      if (count > 0 && this.#latencies !== undefined) this.#note(buffer.toString("utf8", start, end));
      if (dialect.receipts && (unreported += count) >= RECEIPT_EVERY) {
        unreported = 0;
        wire.send(receiptFor(buffer, start, end));
      }
      this.#onDelivery();
    });
    if (dialect.hello === undefined && dialect.isReady("")) isReady = true;
    else {
      if (dialect.hello !== undefined) wire.send(dialect.hello);
      await ready.promise;
    }
    return wire;
  }

  #note(text: string): void {
    const now = performance.now();
    for (const [, sentAt] of text.matchAll(/t=(\d+\.\d+);/g)) this.#latencies?.push(now - Number(sentAt));
  }

  #say(): void {
    const text = `t=${performance.now().toFixed(3)};`.padEnd(CONTENT_CHARS, ".");
    this.#sent++;
    this.#wires[0]?.send(this.#dialect.wrap(text, ++this.#ids));
  }

  async #drain(): Promise<void> {
    const expected = this.#sent * this.#wires.length;
    for (const until = Date.now() + DRAIN_MS; this.#delivered < expected; await sleep(5)) {
      const lost = this.#wires.find(({ closed }) => closed !== undefined);
      if (lost !== undefined) throw new Error(`A client lost its socket: ${lost.closed}`);
      if (Date.now() > until) throw new Error(`${expected - this.#delivered} deliveries of ${expected} never came`);
    }
  }
}

/** `received` for the last message in these bytes. */
function receiptFor(buffer: Buffer, start: number, end: number): string {
  const at = buffer.subarray(start, end).lastIndexOf('"seq":') + start + 6;
  const seq = Number.parseInt(buffer.toString("latin1", at, Math.min(at + 17, end)), 10);
  return `{"type":"received","seq":${seq}}`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function tell(told: Told): void {
  process.send?.(told);
}

let load: Load | undefined;

async function obey(order: Order): Promise<void> {
  switch (order.do) {
    case "open":
      load = new Load(DIALECTS[order.dialect]);
      await load.open(order.url, order.tokens);
      return tell({ told: "opened" });
    case "saturate":
      return await load?.saturate(order);
    case "pace":
      return await load?.pace(order);
    case "close":
      load?.close();
      load = undefined;
      return tell({ told: "closed" });
  }
}

// The parent sends orders of the shape above; each begins when the one before it has ended to the last delivery.
let work = Promise.resolve();
process.on("message", (order: Order) => {
  work = work.then(() => obey(order)).catch((error: unknown) => tell({ told: "failed", message: String(error) }));
});
process.on("disconnect", () => process.exit());
