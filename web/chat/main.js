import { Chat } from "./chat.js";
import { byId, element } from "./dom.js";
import { findSignIn, forgetSession, signIn, storedSession } from "./session.js";
import { render, Scroll } from "./view.js";

// A busy room brings hundreds of frames a second; nobody reads faster than this.
const FRAME_MS = 16;
const scroll = new Scroll(byId("log"), byId("newest"));
let chat;

const session = storedSession();
if (session !== undefined) openChat(session);
else void openWelcome();

async function openWelcome(notice = "") {
  byId("chat").hidden = true;
  byId("welcome").hidden = false;
  byId("welcome-notice").textContent = notice;
  byId("try-again").hidden = true;
  try {
    const { provider, issuer } = await findSignIn();
    byId("sign-in").hidden = provider !== "local";
    byId("elsewhere").hidden = provider === "local";
    if (provider === "local") byId("name").focus();
    else byId("elsewhere").replaceChildren(...explain(provider, issuer));
  } catch (error) {
    byId("welcome-notice").textContent = error.message;
    byId("try-again").hidden = false;
  }
}

function explain(provider, issuer) {
  if (provider === "none")
    return [
      element("p", "", "No identity provider is configured here, so nobody can sign in."),
      element("p", "hint", "Set CLERK_JWT_ISSUER to the issuer of your app's sign-ins, then load this page again."),
    ];
  const name = provider === "clerk" ? "Clerk" : "your identity provider";
  return [
    element("p", "", `People sign in to this deployment with ${name}, in the app that belongs to it.`),
    element(
      "p",
      "hint",
      `The app swaps the session token of ${issuer} for chat tokens at POST /v1/token, then opens /ws.`,
    ),
    element("p", "hint", "This page signs people in only where the local issuer runs: npm run dev."),
  ];
}

function openChat(opened) {
  byId("welcome").hidden = true;
  byId("chat").hidden = false;
  let isPlanned = false;
  const onChange = () => {
    if (isPlanned || chat === undefined) return;
    isPlanned = true;
    setTimeout(() => {
      isPlanned = false;
      if (chat !== undefined) render(chat, scroll);
    }, FRAME_MS);
  };
  const onSignedOut = () => signOut("Your sign-in no longer holds here. Please sign in again.");
  chat = new Chat(opened, { roomId: roomInAddress(), onChange, onSignedOut });
  onChange();
  byId("text").focus();
}

async function enter(button) {
  button.disabled = true;
  byId("welcome-notice").textContent = "";
  try {
    openChat(await signIn(byId("name").value.trim()));
  } catch (error) {
    byId("welcome-notice").textContent = error.message;
  }
  button.disabled = false;
}

function signOut(notice) {
  byId("name").value = chat.session.name;
  chat.close();
  chat = undefined;
  forgetSession();
  void openWelcome(notice);
}

function roomInAddress() {
  const id = location.hash.slice(1);
  return /^[A-Za-z0-9_-]{1,64}$/.test(id) ? id : "lobby";
}

byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  void enter(event.submitter);
});
byId("try-again").addEventListener("click", () => void openWelcome());
byId("sign-out").addEventListener("click", () => signOut());

addEventListener("hashchange", () => {
  chat?.show(roomInAddress());
  setSide(false);
});
byId("join").addEventListener("submit", (event) => {
  event.preventDefault();
  location.hash = byId("room-name").value;
  byId("room-name").value = "";
  byId("text").focus();
});
byId("notice-close").addEventListener("click", () => chat.tell());
byId("reconnect").addEventListener("click", () => chat.connection.open());
byId("older").addEventListener("click", () => void loadOlder());
byId("log").addEventListener("scroll", ({ target }) => target.scrollTop < 40 && void loadOlder());

// A reader of the screen must not be read fifty old messages.
async function loadOlder() {
  byId("log").ariaLive = "off";
  await chat?.loadOlder();
  byId("log").ariaLive = "polite";
}

byId("toggle-side").addEventListener("click", () => setSide(byId("toggle-side").ariaExpanded !== "true"));
addEventListener("keydown", ({ key }) => key === "Escape" && setSide(false));
byId("text").addEventListener("focus", () => setSide(false));

function setSide(isOpen) {
  byId("toggle-side").ariaExpanded = String(isOpen);
  byId("side").classList.toggle("open", isOpen);
}

const text = byId("text");
const composer = byId("composer");
text.addEventListener("input", () => {
  if (text.value.trim() === "") chat.typing.stop();
  else chat.typing.typed(chat.active.id);
  measure();
});
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});
composer.addEventListener("submit", (event) => {
  event.preventDefault();
  if (text.value.trim() === "" || measure() < 0) return;
  chat.say(text.value.trim());
  text.value = "";
  measure();
  scroll.toEnd();
  text.focus();
});

function measure() {
  const left = chat.limits.messageMaxLength - [...text.value.trim()].length;
  byId("length").textContent = left > 100 ? "" : left < 0 ? `${-left} too many` : `${left} left`;
  text.ariaInvalid = String(left < 0);
  return left;
}
