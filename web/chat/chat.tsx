import { useRef, useState } from "react";
import { useChatClient, useConnection } from "../../client/react/index.ts";
import { useMedia } from "../parts/use-media.ts";
import type { Session } from "../session/session.ts";
import { useRoomInAddress } from "./address.ts";
import { Banner } from "./banner.tsx";
import { Conversation } from "./conversation.tsx";
import { Notices } from "./notices.tsx";
import { Side } from "./side/side.tsx";
import { useChannels } from "./use-channels.ts";
import { useTitle } from "./use-title.ts";

// As in chat.css.
const PHONE = "(max-width: 720px)";
const DEFAULT_MAX_LENGTH = 1_000;

/** The list of channels and the room one is in: side by side, or one over the other on a phone. */
export function Chat({ session, onSignOut }: { session: Session; onSignOut: () => void }) {
  const client = useChatClient();
  const connection = useConnection();
  const active = useRoomInAddress();
  const isOnline = connection.state === "online";
  const { channels, create } = useChannels(client, active, isOnline);
  const drawer = useRef<HTMLDialogElement>(null);
  const isPhone = useMedia(PHONE);
  const [drafts] = useState(() => new Map<string, string>());
  const channel = channels.find(({ id }) => id === active);
  const name = channel?.name ?? active;
  useTitle(client, channels, name);
  const connect = () => {
    // What comes of it is shown by the banner.
    client.connect().catch(() => undefined);
  };
  const side = (
    <Side
      session={session}
      channels={channels}
      active={active}
      onCreate={async (wanted) => {
        await create(wanted);
        location.hash = wanted.id;
        drawer.current?.close();
      }}
      onChosen={() => drawer.current?.close()}
      onSignOut={onSignOut}
    />
  );
  const menu = isPhone && (
    <button type="button" className="quiet" aria-haspopup="dialog" onClick={() => drawer.current?.showModal()}>
      <span className="icon icon-menu" aria-hidden="true" />
      <span className="unseen">Channels</span>
    </button>
  );
  return (
    <div className="chat">
      <button type="button" className="skip" onClick={() => document.querySelector<HTMLElement>("#text")?.focus()}>
        Skip to writing
      </button>
      {isPhone ? (
        <dialog ref={drawer} className="drawer" aria-label="Channels">
          <button type="button" className="quiet close" onClick={() => drawer.current?.close()}>
            <span className="icon icon-close" aria-hidden="true" />
            <span className="unseen">Close</span>
          </button>
          {side}
        </dialog>
      ) : (
        side
      )}
      <Conversation
        key={active}
        roomId={active}
        name={name}
        me={session.userId}
        maxLength={client.limits?.messageMaxLength ?? DEFAULT_MAX_LENGTH}
        isOnline={isOnline}
        readSeq={channel?.readSeq}
        drafts={drafts}
        menu={menu}
        banner={
          <>
            <Banner connection={connection} onConnect={connect} />
            <Notices client={client} roomId={active} />
          </>
        }
      />
    </div>
  );
}
