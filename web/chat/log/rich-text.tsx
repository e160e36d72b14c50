import { Fragment } from "react";

const ADDRESS = /(https?:\/\/[^\s<>"']+)/g;
// What ends a sentence is not part of the address in it.
const TRAILING = /[.,;:!?)\]}'"]+$/;

/** A message's text. Addresses become links; everything else is text and nothing but text. */
export function RichText({ text }: { text: string }) {
  return text.split(ADDRESS).map((part, at) => {
    const key = `${at}`;
    if (at % 2 === 0) return <Fragment key={key}>{part}</Fragment>;
    const address = part.replace(TRAILING, "");
    if (!isWebAddress(address)) return <Fragment key={key}>{part}</Fragment>;
    return (
      <Fragment key={key}>
        <a href={address} target="_blank" rel="noopener noreferrer nofollow">
          {address}
        </a>
        {part.slice(address.length)}
      </Fragment>
    );
  });
}

/** Only what a browser itself reads as a web address, without credentials that could pass for a host. */
function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hostname } = new URL(text);
  return /^https?:$/.test(protocol) && username === "" && password === "" && hostname !== "";
}
