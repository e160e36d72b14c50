import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readConfig, SETTINGS, type SettingName, type Variables } from "../../domain/config.ts";

const SECRET = "Zk3vQ8xN1rT6yB9uH4sL7wE2pC5mJ0aG8dF3kX6";

/** An environment that a service may start with, with changes. */
function environment(changes: Variables = {}): Variables {
  return {
    CHAT_JWT_SECRET: SECRET,
    DATABASE_URL: "postgres://parley:pass@db.example/parley",
    UPSTASH_REDIS_REST_URL: "https://redis.example",
    UPSTASH_REDIS_REST_TOKEN: "redis-token",
    ...changes,
  };
}

function production(changes: Variables = {}): Variables {
  return environment({
    ENVIRONMENT: "production",
    PUBLIC_URL: "https://chat.example",
    PARTY_URL: "https://rooms.example",
    ...changes,
  });
}

function problemsOf(variables: Variables): string[] {
  return readConfig(variables).problems.map(({ name }) => name);
}

function settingsOf(variables: Variables) {
  const { settings, problems } = readConfig(variables);
  expect(problems).toEqual([]);
  if (settings === undefined) throw new Error("no settings");
  return settings;
}

describe("readConfig", () => {
  it("starts with the four settings that have no default", () => {
    expect(settingsOf(environment())).toMatchObject({ ENVIRONMENT: "development", RATE_LIMIT_MAX_MESSAGES: 30 });
  });

  it.each(["CHAT_JWT_SECRET", "DATABASE_URL", "UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"])(
    "T17 stops without %s, whether it is unset, empty or blank",
    (name) => {
      expect(problemsOf(environment({ [name]: undefined }))).toEqual([name]);
      expect(problemsOf(environment({ [name]: "" }))).toEqual([name]);
      expect(problemsOf(environment({ [name]: "  " }))).toEqual([name]);
    },
  );

  it("takes only text for a value, so a binding of another kind is not mistaken for a setting", () => {
    expect(problemsOf(environment({ CHAT_JWT_SECRET: { toString: () => SECRET } }))).toEqual(["CHAT_JWT_SECRET"]);
  });
});

describe("names from the source documents", () => {
  it.each<[requirement: string, name: string, value: string, setting: SettingName, parsed: unknown]>([
    ["S0-18", "STREAM_API_KEY", "abc123def456", "STREAM_API_KEY", "abc123def456"],
    ["S0-18", "STREAM_API_SECRET", "s3cr3t-of-stream", "STREAM_API_SECRET", "s3cr3t-of-stream"],
    ["S0-18", "CLERK_JWT_ISSUER", "https://clerk.example", "CLERK_JWT_ISSUER", "https://clerk.example"],
    ["S0-18", "CLERK_API_KEY", "sk_live_abc", "CLERK_SECRET_KEY", "sk_live_abc"],
    ["S0-18", "DEV_MODE", "true", "DEV_MODE", true],
    ["S0-19", "EXPO_PUBLIC_STREAM_API_KEY", "abc123def456", "STREAM_API_KEY", "abc123def456"],
    ["S0-19", "EXPO_PUBLIC_CLERK_PUBLISHABLE_KEY", "pk_live_abc", "CLERK_PUBLISHABLE_KEY", "pk_live_abc"],
    ["S0-19", "EXPO_PUBLIC_API_URL", "https://chat.example", "PUBLIC_URL", "https://chat.example"],
    ["S1-4", "CLERK_FRONTEND_API", "https://clerk.example", "CLERK_JWT_ISSUER", "https://clerk.example"],
    ["S1-4", "CLERK_FRONTEND_API", "clerk.example", "CLERK_JWT_ISSUER", "https://clerk.example"],
    ["S2-1", "NEXT_PUBLIC_STREAM_CHAT_API_KEY", "abc123def456", "STREAM_API_KEY", "abc123def456"],
    ["S2-1", "STREAM_CHAT_API_SECRET", "s3cr3t-of-stream", "STREAM_API_SECRET", "s3cr3t-of-stream"],
    ["S2-1", "NODE_ENV", "test", "ENVIRONMENT", "test"],
    ["S2-1", "STREAM_CHAT_ENVIRONMENT", "staging", "ENVIRONMENT", "staging"],
    ["S2-2", "STREAM_CHAT_BASE_URL", "https://stream.example", "STREAM_CHAT_BASE_URL", "https://stream.example"],
    ["S2-2", "STREAM_CHAT_TIMEOUT", "10000", "STREAM_CHAT_TIMEOUT", 10_000],
    ["S2-20", "STREAM_CHAT_ENABLE_LOGGING", "true", "ENABLE_LOGGING", true],
    ["S3-17", "CHATSDK_API_URL", "https://chat.example", "PUBLIC_URL", "https://chat.example"],
    ["S3-17", "CHATSDK_API_KEY", "chatsdk_live_abc", "CHATSDK_API_KEY", "chatsdk_live_abc"],
    ["S4-21", "PORT", "8000", "PORT", 8_000],
    ["S4-21", "JWT_SECRET", SECRET, "CHAT_JWT_SECRET", SECRET],
    ["S4-21", "REDIS_URL", "redis://redis:6379", "REDIS_URL", "redis://redis:6379"],
    ["S4-21", "DATABASE_URL", "postgresql://u:p@host:5432/db", "DATABASE_URL", "postgresql://u:p@host:5432/db"],
    ["S4-22", "RATE_LIMIT_WINDOW_MS", "60000", "RATE_LIMIT_WINDOW_MS", 60_000],
    ["S4-22", "RATE_LIMIT_MAX_MESSAGES", "30", "RATE_LIMIT_MAX_MESSAGES", 30],
    ["S4-22", "ENABLE_MODERATION", "true", "ENABLE_MODERATION", true],
    ["S4-22", "MAX_MESSAGE_LENGTH", "1000", "MAX_MESSAGE_LENGTH", 1_000],
  ])("%s reads %s", (_requirement, name, value, setting, parsed) => {
    const settings = settingsOf(environment({ CHAT_JWT_SECRET: undefined, JWT_SECRET: SECRET, [name]: value }));
    expect(settings[setting]).toEqual(parsed);
  });

  it("says which alias a setting was read from", () => {
    const { aliasesUsed } = readConfig(environment({ CLERK_API_KEY: "sk_live_abc", NODE_ENV: "test" }));
    expect(aliasesUsed).toEqual([
      { name: "ENVIRONMENT", alias: "NODE_ENV" },
      { name: "CLERK_SECRET_KEY", alias: "CLERK_API_KEY" },
    ]);
  });

  it.each(
    Object.entries(SETTINGS).flatMap(([name, setting]) =>
      "aliases" in setting ? setting.aliases.map((alias) => [name, alias] as const) : [],
    ),
  )("never lets an alias name two settings: %s from %s", (name, alias) => {
    const owners = Object.entries(SETTINGS).filter(
      ([other, setting]) =>
        other === alias || ("aliases" in setting && (setting.aliases as readonly string[]).includes(alias)),
    );
    expect(owners.map(([owner]) => owner)).toEqual([name]);
  });
});

describe("two names for one setting", () => {
  it("stops when they disagree, and names both", () => {
    const { settings, problems } = readConfig(environment({ JWT_SECRET: `${SECRET}different` }));
    expect(settings).toBeUndefined();
    expect(problems).toEqual([
      { name: "CHAT_JWT_SECRET", problem: expect.stringMatching(/CHAT_JWT_SECRET.*JWT_SECRET/) },
    ]);
  });

  it.each([
    ["STREAM_API_KEY", "NEXT_PUBLIC_STREAM_CHAT_API_KEY", "aaaaaaaaaaaa", "bbbbbbbbbbbb"],
    ["STREAM_API_SECRET", "STREAM_CHAT_API_SECRET", "one-secret-value", "other-secret-value"],
    ["CLERK_SECRET_KEY", "CLERK_API_KEY", "sk_live_a", "sk_live_b"],
    ["PUBLIC_URL", "CHATSDK_API_URL", "https://a.example", "https://b.example"],
    ["ENVIRONMENT", "STREAM_CHAT_ENVIRONMENT", "staging", "production"],
    ["ENABLE_LOGGING", "STREAM_CHAT_ENABLE_LOGGING", "true", "false"],
  ])("stops when %s and %s disagree", (name, alias, value, other) => {
    expect(problemsOf(environment({ [name]: value, [alias]: other }))).toContain(name);
  });

  it("goes on when they agree", () => {
    expect(settingsOf(environment({ JWT_SECRET: SECRET })).CHAT_JWT_SECRET).toBe(SECRET);
  });

  it("lets ENVIRONMENT win over NODE_ENV, which build tools set for their own ends", () => {
    expect(settingsOf(environment({ ENVIRONMENT: "preview", NODE_ENV: "production" })).ENVIRONMENT).toBe("preview");
  });

  it("reads a bare host under Clerk's old name as the same issuer", () => {
    const both = { CLERK_JWT_ISSUER: "https://clerk.example", CLERK_FRONTEND_API: "clerk.example" };
    expect(settingsOf(environment(both)).CLERK_JWT_ISSUER).toBe("https://clerk.example");
  });
});

describe("the signing secret", () => {
  it.each([
    "short",
    "secret",
    "12345678",
    "a".repeat(64),
    "abcdefgh".repeat(8),
    "0123456789012345678901234567890123456789",
    "your-256-bit-secret-your-256-bit-secret",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
    "a-string-secret-at-least-256-bits-long",
    "your-jwt-secret-key-your-jwt-secret-key",
    "change-me-change-me-change-me-change-me",
    "changeme-changeme-changeme-changeme-1",
    "my_very_secure_secret_for_production_1",
    "<put the signing secret of this place here>",
    "placeholder-of-at-least-32-bytes-0123",
    "reallyreallyreallyreallyreallyreally",
    "This is the secret that nobody will ever guess",
  ])("J27 refuses the weak secret %j", (value) => {
    expect(problemsOf(environment({ CHAT_JWT_SECRET: value }))).toEqual(["CHAT_JWT_SECRET"]);
    expect(problemsOf(environment({ CHAT_JWT_SECRET_PREVIOUS: value }))).toEqual(["CHAT_JWT_SECRET_PREVIOUS"]);
  });

  it.each(["STREAM_API_SECRET", "CLERK_SECRET_KEY", "CHATSDK_API_KEY", "UPSTASH_REDIS_REST_TOKEN"])(
    "J27 refuses a secret that is also used as %s",
    (name) => {
      expect(problemsOf(environment({ [name]: SECRET }))).toEqual(["CHAT_JWT_SECRET"]);
    },
  );

  it("refuses a previous secret that is the current one", () => {
    expect(problemsOf(environment({ CHAT_JWT_SECRET_PREVIOUS: SECRET }))).toEqual(["CHAT_JWT_SECRET_PREVIOUS"]);
  });

  it.each(["hex", "base64", "base64url"] as const)("takes 32 random bytes in %s", (encoding) => {
    const secrets = fc
      .uint8Array({ minLength: 32, maxLength: 64 })
      .map((bytes) => Buffer.from(bytes).toString(encoding));
    const random = fc.integer({ min: 32, max: 64 }).map((length) => randomBytes(length).toString(encoding));
    fc.assert(
      fc.property(random, (value) => {
        expect(problemsOf(environment({ CHAT_JWT_SECRET: value }))).toEqual([]);
      }),
    );
    // Whatever the bytes are, the answer is about this setting or there is none: nothing throws.
    fc.assert(
      fc.property(secrets, (value) => {
        expect(["", "CHAT_JWT_SECRET"]).toContain(problemsOf(environment({ CHAT_JWT_SECRET: value })).join());
      }),
    );
  });
});

describe("production", () => {
  it("starts when everything is in place", () => {
    expect(settingsOf(production()).ENVIRONMENT).toBe("production");
  });

  it.each(["true", "TRUE", "1", "yes", "on", " true "])("T15 refuses DEV_MODE=%j", (value) => {
    expect(problemsOf(production({ DEV_MODE: value }))).toEqual(["DEV_MODE"]);
  });

  it.each(["PRODUCTION", " Production "])("T15 refuses DEV_MODE when production is written %j", (value) => {
    expect(problemsOf(production({ ENVIRONMENT: value, DEV_MODE: "true" }))).toEqual(["DEV_MODE"]);
  });

  it.each(["false", "0", "no", "off", ""])("S0-9 starts with DEV_MODE=%j", (value) => {
    expect(settingsOf(production({ DEV_MODE: value })).DEV_MODE).toBe(false);
  });

  it("does not read an unknown word as a switch", () => {
    expect(problemsOf(production({ DEV_MODE: "nope" }))).toEqual(["DEV_MODE"]);
  });

  it.each([undefined, "", " , "])("J14 needs the authorized parties of its issuer, and not %j", (parties) => {
    const settings = { CLERK_JWT_ISSUER: "https://clerk.example", CLERK_AUTHORIZED_PARTIES: parties };
    expect(problemsOf(production(settings))).toEqual(["CLERK_AUTHORIZED_PARTIES"]);
  });

  it.each(["PUBLIC_URL", "PARTY_URL", "CLERK_JWKS_URL", "UPSTASH_REDIS_REST_URL"])(
    "S0-22 needs https in %s",
    (name) => {
      expect(problemsOf(production({ [name]: "http://plain.example" }))).toEqual([name]);
    },
  );

  it("creates no rooms on joining, unless told to", () => {
    expect(settingsOf(production()).ROOMS_AUTO_CREATE).toBe(false);
    expect(settingsOf(production({ ROOMS_AUTO_CREATE: "true" })).ROOMS_AUTO_CREATE).toBe(true);
    expect(settingsOf(environment()).ROOMS_AUTO_CREATE).toBe(true);
  });
});

describe("CHAT_DRIVER=stream", () => {
  it("needs Stream's key and secret", () => {
    expect(problemsOf(environment({ CHAT_DRIVER: "stream" }))).toEqual(["STREAM_API_KEY", "STREAM_API_SECRET"]);
  });
});

describe("what a problem says", () => {
  it("names every wrong setting at once", () => {
    expect(problemsOf(environment({ PORT: "x", MAX_MESSAGE_LENGTH: "-1", CHAT_DRIVER: "carrier-pigeon" }))).toEqual([
      "PORT",
      "CHAT_DRIVER",
      "MAX_MESSAGE_LENGTH",
    ]);
  });

  it("S1-14 never shows a value", () => {
    const names = Object.keys(SETTINGS);
    const marked = fc.tuple(
      fc.constantFrom(...names),
      fc.string({ minLength: 6 }).map((tail) => `canary${tail}`),
    );
    fc.assert(
      fc.property(marked, ([name, value]) => {
        expect(JSON.stringify(readConfig(production({ [name]: value })).problems)).not.toContain("canary");
      }),
      { numRuns: 500 },
    );
  });
});
