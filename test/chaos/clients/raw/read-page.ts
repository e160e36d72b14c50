import type { PageRange } from "../chaos-client.ts";
import type { Self } from "./self.ts";

/**
 * Reads a page of history and writes down what was on it.
 *
 * @param fills It is read to fill a gap.
 * @returns The places of its messages; undefined when there was no page.
 */
export async function readPage(
  { options, recorder, http, signIn }: Self,
  room: string,
  { before, after, limit }: PageRange,
  fills: boolean,
): Promise<number[] | undefined> {
  const askedAt = recorder.now();
  const range = { ...(before !== undefined && { before }), ...(after !== undefined && { after }), limit };
  const query = Object.entries(range).map(([name, value]) => `${name}=${value}`);
  const { status, body } = await http.readPage(signIn.token, room, query.join("&"));
  if (status === 401) await signIn.renew();
  if (body === undefined) return undefined;
  const messages = body.messages.map((message) => recorder.number(room, message));
  recorder.write({ kind: "page", client: options.name, room, askedAt, ...range, fills, messages });
  return body.messages.map(({ seq }) => seq);
}
