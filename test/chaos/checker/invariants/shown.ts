import type { EntryOf } from "../../history/entries.ts";
import { type Finding, Look } from "../finding.ts";
import type { Model } from "../model.ts";

/**
 * What an app shows through an SDK is whole at any time: its messages follow each other without a gap or a repeat up to the
 * newest that the app was told of, and nothing stands there as on its way that was told to be stored.
 */
export function appsShowEachOnce(model: Model): Finding {
  const look = new Look();
  const acked = new Set<string>();
  const told = new Map<string, number>();
  for (const entry of model.entries) {
    if (entry.kind === "ack") acked.add(`${entry.client} ${entry.room} ${entry.id}`);
    if (entry.kind === "saw" || entry.kind === "joined") {
      const last = model.resolve(entry.messages).at(-1)?.seq;
      if (last !== undefined) told.set(`${entry.client} ${entry.room}`, last);
    }
    if (entry.kind === "shown")
      look.at(() => problemOf(model, entry, acked, told.get(`${entry.client} ${entry.room}`) ?? 0));
  }
  return look;
}

function problemOf(
  model: Model,
  { at, client, room, messages, sending }: EntryOf<"shown">,
  acked: ReadonlySet<string>,
  told: number,
): Finding["violations"][number] | undefined {
  const seqs = model.resolve(messages).map(({ seq }) => seq);
  const leap = seqs.findIndex((seq, index) => index > 0 && seq !== (seqs[index - 1] ?? 0) + 1);
  if (leap !== -1) return { at, client, room, seq: seqs[leap], text: `shows ${seqs[leap]} after ${seqs[leap - 1]}` };
  const last = seqs.at(-1) ?? 0;
  if (last !== told)
    return { at, client, room, seq: last, text: `shows no more than ${last}, though it was told of ${told}` };
  const stored = sending.find((id) => acked.has(`${client} ${room} ${id}`));
  return stored === undefined
    ? undefined
    : { at, client, room, text: `shows ${stored} as on its way, which was acked` };
}
