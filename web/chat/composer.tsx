import { type SubmitEvent, type KeyboardEvent, type RefObject, useState } from "react";

const WARN_BELOW = 100;

interface ComposerProps {
  field: RefObject<HTMLTextAreaElement | null>;
  title: string;
  /** What was being written here before. */
  draft: string;
  maxLength: number;
  isDisabled: boolean;
  onDraft: (text: string) => void;
  onSend: (text: string) => void;
  onTyping: (isTyping: boolean) => void;
}

/** Where one writes. Enter sends, Shift+Enter begins a new line. */
export function Composer({ field, title, draft, maxLength, isDisabled, onDraft, onSend, onTyping }: ComposerProps) {
  const [text, setText] = useState(draft);
  // Code points, as the server counts them.
  const left = maxLength - [...text.trim()].length;
  const change = (value: string) => {
    setText(value);
    onDraft(value);
    onTyping(value.trim() !== "");
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    field.current?.focus();
    if (text.trim() === "" || left < 0 || isDisabled) return;
    onSend(text.trim());
    setText("");
    onDraft("");
    onTyping(false);
  };
  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.currentTarget.form?.requestSubmit();
  };
  return (
    <form className="composer" onSubmit={submit}>
      <label htmlFor="text" className="unseen">
        Message
      </label>
      <div className="field">
        <textarea
          id="text"
          ref={field}
          rows={1}
          value={text}
          placeholder={`Write to ${title}`}
          enterKeyHint="send"
          autoFocus
          disabled={isDisabled}
          aria-describedby="length"
          aria-invalid={left < 0}
          onChange={(event) => change(event.target.value)}
          onKeyDown={press}
        />
        <span id="length" className="length" aria-live="polite">
          {left < 0 ? `${-left} too many` : left <= WARN_BELOW ? `${left} left` : ""}
        </span>
        <button className="primary send" disabled={isDisabled}>
          <span className="icon icon-send" aria-hidden="true" />
          <span className="unseen">Send</span>
        </button>
      </div>
    </form>
  );
}
