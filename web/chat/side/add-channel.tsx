import { type SubmitEvent, type RefObject, useState } from "react";
import { channelIdOf } from "../address.ts";

export interface NewChannel {
  id: string;
  name: string;
  type: "messaging" | "private";
  members: string[];
}

interface AddChannelProps {
  dialog: RefObject<HTMLDialogElement | null>;
  onJoin: (id: string) => void;
  /** @throws when it cannot be created, with words for people */
  onCreate: (channel: NewChannel) => Promise<void>;
}

/** Joins the channel that is named, or creates it: for everybody, or for those who are invited. */
export function AddChannel({ dialog, onJoin, onCreate }: AddChannelProps) {
  const [name, setName] = useState("");
  const [isPrivate, setIsPrivate] = useState(false);
  const [problem, setProblem] = useState("");
  const id = channelIdOf(name.trim());
  const close = () => {
    dialog.current?.close();
    setName("");
    setIsPrivate(false);
    setProblem("");
  };
  const join = () => {
    if (id === "") return setProblem("Give the channel a name.");
    onJoin(id);
    close();
  };
  const create = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (id === "") return setProblem("The name needs a letter or a digit.");
    const invited = new FormData(event.currentTarget).get("members");
    const members = typeof invited === "string" ? invited.split(/[\s,]+/).filter((member) => member !== "") : [];
    const type = isPrivate ? ("private" as const) : ("messaging" as const);
    onCreate({ id, name: name.trim(), type, members }).then(close, (error: unknown) =>
      setProblem(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="add-title" onClose={() => setProblem("")}>
      <form onSubmit={create}>
        <h2 id="add-title">Add a channel</h2>
        <label htmlFor="channel-name">Name</label>
        <input
          id="channel-name"
          value={name}
          maxLength={100}
          autoComplete="off"
          required
          aria-describedby="channel-id"
          onChange={(event) => setName(event.target.value)}
        />
        <p id="channel-id" className="hint">
          {id === "" ? "Letters, digits, - and _ become its address." : `Its address is #${id}`}
        </p>
        <label className="choice">
          <input type="checkbox" checked={isPrivate} onChange={(event) => setIsPrivate(event.target.checked)} />
          Only for people who are invited
        </label>
        {isPrivate && (
          <>
            <label htmlFor="channel-members">Whom to invite</label>
            <input id="channel-members" name="members" autoComplete="off" placeholder="bob, carol" />
          </>
        )}
        <p className="problem" role="alert">
          {problem}
        </p>
        <div className="actions">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="button" onClick={join}>
            Join
          </button>
          <button className="primary">Create</button>
        </div>
      </form>
    </dialog>
  );
}
