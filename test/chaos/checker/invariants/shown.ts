import type { EntryOf } from "../../history/entries.ts";
import { type Finding, Look } from "../finding.ts";
import type { Model } from "../model.ts";

/**
 * What an app shows through an SDK is whole at any time: its messages follow each other without a gap or a repeat, and
 * nothing stands there as on its way that was told to be stored.
 */
export function appsShowEachOnce(model: Model): Finding {
  const look = new Look();
  const acked = new Set<string>();
  for (const entry of model.entries) {
    if (entry.kind === "ack") acked.add(`${entry.client} ${entry.room} ${entry.id}`);
    if (entry.kind === "shown") look.at(() => problemOf(model, entry, acked));
  }
  return look;
}

function problemOf(
  model: Model,
  { at, client, room, messages, sending }: EntryOf<"shown">,
  acked: ReadonlySet<string>,
): Finding["violations"][number] | undefined {
  const seqs = model.resolve(messages).map(({ seq }) => seq);
  const leap = seqs.findIndex((seq, index) => index > 0 && seq !== (seqs[index - 1] ?? 0) + 1);
  if (leap !== -1) return { at, client, room, seq: seqs[leap], text: `shows ${seqs[leap]} after ${seqs[leap - 1]}` };
  const stored = sending.find((id) => acked.has(`${client} ${room} ${id}`));
  return stored === undefined
    ? undefined
    : { at, client, room, text: `shows ${stored} as on its way, which was acked` };
}
