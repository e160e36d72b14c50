import { useRef, useState } from "react";
import { useUnread } from "../../../client/react/index.ts";
import { Avatar } from "../../parts/avatar.tsx";
import type { Session } from "../../session/session.ts";
import { ThemeSwitch } from "../../theme/theme-switch.tsx";
import { showRoom } from "../address.ts";
import type { ChannelItem } from "../use-channels.ts";
import { AddChannel, type NewChannel } from "./add-channel.tsx";

// More channels than this, and one wants to type a part of a name.
const MANY = 12;

interface SideProps {
  session: Session;
  channels: readonly ChannelItem[];
  active: string;
  onCreate: (channel: NewChannel) => Promise<void>;
  onChosen: () => void;
  onSignOut: () => void;
}

/** The channels, the person and the colours. */
export function Side({ session, channels, active, onCreate, onChosen, onSignOut }: SideProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [wanted, setWanted] = useState("");
  const shown = channels.filter(({ id, name }) => `${id} ${name}`.toLowerCase().includes(wanted.toLowerCase()));
  const join = (id: string) => {
    showRoom(id);
    onChosen();
  };
  return (
    <aside className="side" aria-label="Channels and account">
      <p className="brand">
        <img src="/favicon.svg" alt="" width="26" height="26" /> Parley
      </p>
      <nav aria-labelledby="channels-title" className="channels">
        <div className="channels-head">
          <h2 id="channels-title">Channels</h2>
          <button type="button" className="quiet" onClick={() => dialog.current?.showModal()}>
            <span className="icon icon-plus" aria-hidden="true" />
            <span className="unseen">Add a channel</span>
          </button>
        </div>
        {channels.length > MANY && (
          <input
            className="find"
            type="search"
            aria-label="Find a channel"
            placeholder="Find a channel"
            value={wanted}
            onChange={(event) => setWanted(event.target.value)}
          />
        )}
        <ul>
          {shown.map((channel) => (
            <li key={channel.id}>
              <a href={`#${channel.id}`} aria-current={channel.id === active ? "page" : undefined} onClick={onChosen}>
                <span className={`icon icon-${channel.isPrivate ? "lock" : "hash"}`} aria-hidden="true" />
                <span className="name" title={channel.name}>
                  {channel.name}
                </span>
                {channel.id !== active && <Badge channel={channel} />}
              </a>
            </li>
          ))}
        </ul>
        {shown.length === 0 && <p className="hint">No channel is called that.</p>}
      </nav>
      <footer className="me">
        <div className="who">
          <Avatar userId={session.userId} name={session.name} isSmall />
          <span className="name" title={session.name}>
            {session.name}
          </span>
          <button type="button" className="quiet" onClick={onSignOut}>
            Sign out
          </button>
        </div>
        <div className="foot">
          <a href="/status">Status</a>
          <ThemeSwitch />
        </div>
      </footer>
      <AddChannel dialog={dialog} onJoin={join} onCreate={onCreate} />
    </aside>
  );
}

function Badge({ channel }: { channel: ChannelItem }) {
  return channel.isFollowed ? <LiveBadge id={channel.id} /> : <Count unread={channel.unread} />;
}

function LiveBadge({ id }: { id: string }) {
  return <Count unread={useUnread(id)} />;
}

/** How many messages of others wait in a channel. */
function Count({ unread }: { unread: number }) {
  if (unread === 0) return null;
  return (
    <span className="badge">
      {unread > 999 ? "999+" : unread}
      <span className="unseen"> unread</span>
    </span>
  );
}
