import type { Person, Typist } from "./types.ts";

const TYPING_MS = 6_000;
const NOBODY: readonly Typist[] = [];

/** Who is in a room, and who types. Lists are never changed, only replaced. */
export class People {
  members: readonly Person[] = [];
  count = 0;
  typing: readonly Typist[] = NOBODY;
  readonly #until = new Map<string, number>();

  /** The whole list, or a sample of it. */
  reset(members: readonly Person[], count: number): void {
    this.members = members.filter(({ status }) => status === "online");
    this.count = count;
  }

  /** @param count How many there are afterwards, when that was told. */
  change(changes: readonly Person[], count?: number): void {
    const members = new Map(this.members.map((person) => [person.userId, person]));
    for (const person of changes) {
      if (person.status === "online") members.set(person.userId, person);
      else members.delete(person.userId);
      if (person.status === "offline") this.stop(person.userId);
    }
    const more = members.size - this.members.length;
    this.members = [...members.values()];
    this.count = count ?? this.count + more;
  }

  /** @returns whether the list has changed. */
  type({ userId, username }: Typist, isTyping: boolean, now: number): boolean {
    if (!isTyping) return this.stop(userId);
    const isNew = !this.#until.has(userId);
    this.#until.set(userId, now + TYPING_MS);
    if (isNew) this.typing = [...this.typing, { userId, username }];
    return isNew;
  }

  stop(userId: string): boolean {
    if (!this.#until.delete(userId)) return false;
    this.typing = this.typing.filter((typist) => typist.userId !== userId);
    return true;
  }

  /** Whoever has not been heard of for too long types no more. */
  expire(now: number): boolean {
    const { typing } = this;
    for (const [userId, until] of this.#until) if (until <= now) this.stop(userId);
    return typing !== this.typing;
  }

  /** The socket is gone, and with it the news of who stops typing. */
  lost(): void {
    this.#until.clear();
    this.typing = NOBODY;
  }
}
