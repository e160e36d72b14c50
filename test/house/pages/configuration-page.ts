import { SETTINGS, type SettingName } from "../../../domain/config.ts";
import { describeSetting } from "../../../commands/settings-table.ts";
import { page, table } from "./table.ts";

const READERS: Record<string, string> = {
  all: "Worker and rooms",
  worker: "Worker",
  rooms: "rooms",
  dev: "local stack",
  commands: "commands",
};

/** `docs/configuration.md`. */
export function configurationPage(): string {
  const names = Object.keys(SETTINGS) as SettingName[]; // the keys of the object itself
  return page(
    "# Configuration",
    "Generated from `domain/config.ts` and `domain/setting-notes.ts`; `npx vitest run test/house -u` writes it anew.",
    "The environment is read by one module through one schema. A wrong value stops the service: it answers 503 `config_invalid`, and `/api/chat/health` and `npm run doctor` name every wrong setting, never its value. Each setting has one name of its own; names that the systems Parley replaces used for the same thing are read too, and `npm run doctor` says which was. Two names for one setting that disagree stop the service. (`NODE_ENV` is shared with build tools, so it loses against the other names of `ENVIRONMENT` instead.)",
    table(
      ["setting", "also read as", "default", "read by", "meaning"],
      names.map((name) => {
        const { aliases = [], byDefault, usedBy, secret, about } = describeSetting(name);
        return [
          `\`${name}\``,
          aliases.map((alias) => `\`${alias}\``).join(", "),
          byDefault === undefined ? "" : `\`${byDefault}\``,
          READERS[usedBy] ?? usedBy,
          secret === true ? `**Secret.** ${about}` : about,
        ];
      }),
    ),
    "## What must be set",
    "Everywhere: `CHAT_JWT_SECRET`, `DATABASE_URL`, `UPSTASH_REDIS_REST_URL`, `UPSTASH_REDIS_REST_TOKEN`. The Worker and the rooms need the same values. `npm run dev` sets them all for the local stack.",
    "In production besides: `ENVIRONMENT=production`, `PUBLIC_URL` and `PARTY_URL` over https, `CLERK_JWT_ISSUER` with `CLERK_AUTHORIZED_PARTIES` when people sign in, `ALLOWED_ORIGINS` when pages elsewhere call. With `CHAT_DRIVER=stream`: `STREAM_API_KEY` and `STREAM_API_SECRET`. `npm run doctor -- --env-file FILE --production` checks all of it.",
    "## Switches and numbers",
    "Switches take `true`, `1`, `yes`, `on` and `false`, `0`, `no`, `off`, in any case. Lists are separated by commas. Numbers are whole.",
  );
}
