import type { Person, RoomState } from "../../client/types.ts";
import { Avatar } from "../parts/avatar.tsx";

/** Who is here, those who are online first. A large room tells how many there are, and shows some. */
export function People({ state, me }: { state: RoomState; me: string }) {
  const typing = new Set(state.typing.map(({ userId }) => userId));
  const people = [...state.members].sort(byPresenceAndName);
  const more = state.memberCount - people.length;
  return (
    <section className="people" aria-labelledby="people-title">
      <h2 id="people-title">
        Here now <span className="count">{state.memberCount}</span>
      </h2>
      <ul>
        {people.map(({ userId, username, status }) => (
          <li key={userId} className={status}>
            <Avatar userId={userId} name={username} isSmall />
            <span className="name" title={username}>
              {username}
              {userId === me && <span className="soft"> (you)</span>}
            </span>
            {typing.has(userId) && (
              <span className="dots" aria-hidden="true">
                …
              </span>
            )}
          </li>
        ))}
      </ul>
      {more > 0 && <p className="hint">and {more.toLocaleString()} more</p>}
    </section>
  );
}

function byPresenceAndName(a: Person, b: Person): number {
  return Number(a.status === "offline") - Number(b.status === "offline") || a.username.localeCompare(b.username);
}

/** "Ada is typing…" */
export function typingWords(typing: RoomState["typing"], me: string): string {
  const names = typing.flatMap(({ userId, username }) => (userId === me ? [] : [username]));
  if (names.length === 0) return "";
  if (names.length > 3) return "Several people are typing…";
  return `${new Intl.ListFormat("en").format(names)} ${names.length > 1 ? "are" : "is"} typing…`;
}
