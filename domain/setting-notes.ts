import type { SettingName } from "./config.ts";

/** What people are told of a setting: in the docs, by the doctor, and when something is deployed. */
export interface SettingNote {
  /** Which parts read it. */
  usedBy: "all" | "worker" | "rooms" | "dev" | "commands";
  about: string;
}

/** A note for every setting; apart from the settings themselves, because nothing that is deployed needs them. */
export const SETTING_NOTES: Record<SettingName, SettingNote> = {
  ENVIRONMENT: { usedBy: "all", about: "Where this runs; `production` turns every safety check into a hard stop." },
  DEV_MODE: { usedBy: "all", about: "Trusts the local issuer too. Refused in production." },
  PUBLIC_URL: { usedBy: "all", about: "The address clients use; `iss` of every chat token, and the base of `wsUrl`." },
  PARTY_URL: { usedBy: "all", about: "The address of the rooms." },
  PORT: { usedBy: "dev", about: "The port of the local stack's Worker." },
  APP_ID: { usedBy: "worker", about: "The application that signed-in users belong to; API keys name their own." },
  CHAT_DRIVER: {
    usedBy: "worker",
    about: "`stream` mints Stream user tokens and creates channels there, for apps that are Stream customers.",
  },
  CHAT_JWT_SECRET: { usedBy: "all", about: "Signs chat tokens; at least 32 random bytes." },
  CHAT_JWT_SECRET_PREVIOUS: { usedBy: "all", about: "Still accepted while the signing secret is being rotated." },
  SECRETS_ROTATED_AT: {
    usedBy: "commands",
    about: "The day the secrets were last replaced; `npm run doctor` warns after 90 days.",
  },
  TOKEN_TTL_SECONDS: { usedBy: "worker", about: "How long chat tokens live." },
  CLERK_JWT_ISSUER: { usedBy: "worker", about: "The issuer whose session tokens are exchanged; compared exactly." },
  CLERK_JWKS_URL: { usedBy: "worker", about: "The issuer's key set, when it is not at `/.well-known/jwks.json`." },
  CLERK_AUTHORIZED_PARTIES: {
    usedBy: "worker",
    about: "Origins that may appear as `azp`, comma-separated. Needed in production with Clerk.",
  },
  CLERK_AUDIENCE: { usedBy: "worker", about: "The `aud` a session token must carry, when the issuer sets one." },
  CLERK_SECRET_KEY: {
    usedBy: "commands",
    about: "Clerk's API key; `npm run session` makes session tokens through it.",
  },
  CLERK_API_URL: { usedBy: "commands", about: "Clerk's Backend API." },
  CLERK_PUBLISHABLE_KEY: { usedBy: "worker", about: "Clerk's public key, told to the page." },
  LOCAL_ISSUER: { usedBy: "dev", about: "The local stack's issuer; trusted only with `DEV_MODE=true`." },
  STREAM_API_KEY: { usedBy: "worker", about: "Stream's public API key, with `CHAT_DRIVER=stream`." },
  STREAM_API_SECRET: { usedBy: "worker", about: "Stream's API secret, with `CHAT_DRIVER=stream`." },
  STREAM_CHAT_BASE_URL: { usedBy: "worker", about: "Stream's REST address." },
  STREAM_CHAT_TIMEOUT: { usedBy: "worker", about: "Milliseconds to wait for Stream." },
  ENABLE_LOGGING: { usedBy: "all", about: "Logs each request and socket, without content, tokens or keys." },
  DATABASE_URL: { usedBy: "all", about: "Neon's connection string." },
  NEON_FETCH_ENDPOINT: {
    usedBy: "all",
    about: "The address that speaks Neon's SQL over HTTP, when it is not the one in `DATABASE_URL`.",
  },
  UPSTASH_REDIS_REST_URL: { usedBy: "all", about: "Upstash Redis over REST." },
  UPSTASH_REDIS_REST_TOKEN: { usedBy: "all", about: "The token of `UPSTASH_REDIS_REST_URL`." },
  REDIS_URL: { usedBy: "dev", about: "A Redis of your own for the local stack, instead of the one in its process." },
  ALLOWED_ORIGINS: {
    usedBy: "all",
    about: "Browser origins that may call and connect, comma-separated. Empty allows only `PUBLIC_URL` itself.",
  },
  ROOMS_AUTO_CREATE: {
    usedBy: "rooms",
    about: "Joining an unknown room creates its channel. Defaults to true outside production.",
  },
  RATE_LIMIT_WINDOW_MS: { usedBy: "rooms", about: "The window of the message limit." },
  RATE_LIMIT_MAX_MESSAGES: { usedBy: "rooms", about: "Messages a user may send in a room in one window." },
  TOKEN_RATE_LIMIT: { usedBy: "worker", about: "Token exchanges and mints per user in 15 minutes." },
  CHANNEL_RATE_LIMIT: { usedBy: "worker", about: "Channel creations per user in 15 minutes." },
  MANAGE_RATE_LIMIT: {
    usedBy: "worker",
    about: "Bans, revocations and changes of members per user or API key in a minute.",
  },
  READ_RATE_LIMIT: { usedBy: "worker", about: "Reads per user in a minute." },
  MAX_MESSAGE_LENGTH: { usedBy: "rooms", about: "Code points in a message." },
  ENABLE_MODERATION: {
    usedBy: "rooms",
    about: "Rooms filter what is written in them; lists and modes are set over HTTP, see docs/moderation.md.",
  },
  CHATSDK_API_KEY: { usedBy: "commands", about: "An API key of this deployment, for `npm run smoke`." },
};
