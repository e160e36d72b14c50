/**
 * Marks a text that only people read, in the OpenAPI document. In the Worker's bundle `no-words.ts` stands in for this, by
 * the condition in `package.json`, and the bundler leaves the texts out: they are a fiftieth of it.
 */
export function words(...parts: string[]): string {
  return parts.join(" ");
}
