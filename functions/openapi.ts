import { ERRORS, type ErrorCode } from "../protocol/errors.ts";
import { ClientFrame, ServerFrame } from "../protocol/frames.ts";
import { Problem } from "../protocol/http.ts";
import { type Json, SchemaBook } from "./openapi-schemas.ts";
import type { Credential, Route } from "./route.ts";

const SECURITY: Record<Credential, string> = { session: "sessionToken", token: "chatToken", key: "apiKey" };
const TAGS: Record<Route["tag"], string> = {
  Tokens: "Swap a sign-in, or an API key, for chat tokens.",
  People: "What an app says about its users: revoked tokens, and bans.",
  Channels: "Channels and their history. A channel's live object is a room; one id names both.",
  Presence: "Who is online, and when people were last seen.",
  Operations: "Whether the service is well, and this description.",
  Sockets: "Where chat happens. The frames are described in docs/protocol.md.",
};
const PARAMETERS: Record<string, string> = {
  id: "The id, as it stands in the address: never percent-encoded.",
  userId: "The user's id; `@` and `|` may be percent-encoded.",
  roomId: "The room; `lobby` always exists.",
  before: "Only what comes before this position.",
  after: "Only what comes after this position.",
  limit: "At most this many.",
};
const SESSION_CLAIMS = "Identity comes from the verified token, never from a body.";

interface Response {
  description: string;
  headers?: Json;
  content?: Json;
}
type Responses = Record<string, Response>;

/** The OpenAPI 3.1 document of these routes, for the build. Every alias is in it, as a deprecated twin. */
export function buildOpenApi(routes: readonly Route[]): Json {
  const book = new SchemaBook(routes);
  const paths: Record<string, Json> = {};
  for (const route of routes)
    for (const path of [route.path, ...(route.aliases ?? [])])
      (paths[toTemplate(path)] ??= {})[route.method.toLowerCase()] = describeRoute(book, route, path);
  Object.assign(paths, describePages());
  return {
    openapi: "3.1.1",
    info: {
      title: "Parley",
      version: "1.0.0",
      summary: "Chat at the edge: tokens, rooms, and messages that are never lost",
      description:
        "Every error is `application/problem+json` with a `code` from one closed list; branch on the code, never on the text. " +
        "Paths marked as deprecated serve exactly what the path they name serves.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "This deployment" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: securitySchemes(),
      headers: headers(),
      schemas: book.reachableFrom(paths),
    },
  };
}

function describeRoute(book: SchemaBook, route: Route, path: string): Json {
  const isAlias = path !== route.path;
  const also = isAlias ? [`The same as \`${route.method} ${toTemplate(route.path)}\`.`] : [];
  const description = [...also, ...(route.description === undefined ? [] : [route.description])].join(" ");
  const parameters = [...describeParameters(book, route, "params"), ...describeParameters(book, route, "query")];
  return {
    operationId: isAlias ? `${route.id}At${pascal(path)}` : route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(description !== "" && { description }),
    ...(isAlias && { deprecated: true }),
    security: describeSecurity(route),
    ...(parameters.length > 0 && { parameters }),
    ...(route.body !== undefined && {
      requestBody: {
        required: route.bodyIsOptional !== true,
        content: { "application/json": { schema: book.refTo(route.body) } },
      },
    }),
    responses: mergeByStatus(describeReplies(book, route), describeErrors(book, errorsOf(route))),
    ...(route.tag === "Sockets" && describeSocket(book)),
  };
}

function describeSecurity({ auth, isOpen }: Route): Record<string, string[]>[] {
  const needed = auth.map((credential) => ({ [SECURITY[credential]]: [] }));
  return isOpen === undefined ? needed : [...needed, {}];
}

function describeParameters(book: SchemaBook, route: Route, kind: "params" | "query"): Json[] {
  const schema = route[kind];
  if (schema === undefined) return [];
  return book.fieldsOf(schema).map((field) => ({
    name: field.name,
    in: kind === "params" ? "path" : "query",
    required: kind === "params" || field.required,
    description: PARAMETERS[field.name] ?? `The \`${field.name}\`.`,
    schema: field.schema,
  }));
}

function describeReplies(book: SchemaBook, route: Route): Responses {
  const names = route.limit === undefined ? ["X-Request-Id"] : ["X-Request-Id", "RateLimit", "RateLimit-Policy"];
  return Object.fromEntries(
    Object.entries(route.replies).map(([status, { description, schema }]) => [
      status,
      status === "101"
        ? { description }
        : { description, headers: refsTo(names), content: { "application/json": { schema: book.refTo(schema) } } },
    ]),
  );
}

/** One status may be a documented reply and an error as well; they differ by their media type. */
function mergeByStatus(replies: Responses, errors: Responses): Responses {
  const merged = { ...replies };
  for (const [status, error] of Object.entries(errors)) {
    const reply = replies[status];
    merged[status] =
      reply === undefined
        ? error
        : {
            description: `${reply.description}; or ${error.description}`,
            headers: { ...reply.headers, ...error.headers },
            content: { ...reply.content, ...error.content },
          };
  }
  return merged;
}

/** Errors are grouped by status; the schema of each group says which codes it can have. */
function describeErrors(book: SchemaBook, codes: readonly ErrorCode[]): Responses {
  const byStatus = Map.groupBy(new Set(codes), (code) => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: group.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join("; "),
        headers: refsTo(status === 429 || status === 503 ? ["X-Request-Id", "Retry-After"] : ["X-Request-Id"]),
        content: {
          "application/problem+json": {
            schema: { allOf: [book.refTo(Problem), { properties: { code: { enum: group } } }] },
            examples: Object.fromEntries(group.map((code) => [code, { value: exampleProblem(code) }])),
          },
        },
      },
    ]),
  );
}

/** What a route may answer with, and what it may answer with because of what it is made of. */
function errorsOf(route: Route): ErrorCode[] {
  const parses = route.params !== undefined || route.query !== undefined || route.body !== undefined;
  return [
    ...(parses ? (["bad_request"] as const) : []),
    ...Object.values(route.invalid ?? {}),
    ...route.errors,
    ...(route.limit === undefined ? [] : (["rate_limited"] as const)),
    ...(route.path === "/healthz" ? [] : (["internal", "config_invalid"] as const)),
  ];
}

function exampleProblem(code: ErrorCode): Json {
  const { status, title } = ERRORS[code];
  const requestId = "5f0c9a0e-3b1d-4c58-9d1e-2f6a7b8c9d0e";
  return { type: `urn:parley:problem:${code}`, title, status, code, detail: title, requestId };
}

/** What HTTP has no words for: how a socket is opened, and what is said on it. */
function describeSocket(book: SchemaBook): Json {
  const text = { type: "string" };
  return {
    security: [{ wsToken: [] }, {}],
    parameters: [
      { name: "roomId", in: "query", description: "The first room to join.", schema: { ...text, default: "lobby" } },
      { name: "token", in: "query", description: "The `wsToken`, if it can be sent no other way.", schema: text },
      { name: "since", in: "query", description: "Where to go on: `<epoch>.<seq>`.", schema: text },
      {
        name: "Sec-WebSocket-Protocol",
        in: "header",
        description: "`chat.v1` or `chat.v1.lines`, and `chat.token.<jwt>` beside it.",
        schema: text,
      },
    ],
    "x-client-frame": book.refTo(ClientFrame),
    "x-server-frame": book.refTo(ServerFrame),
  };
}

/** What is served as files, beside the routes. */
function describePages(): Record<string, Json> {
  const page = (operationId: string, summary: string, type: string) => ({
    get: {
      operationId,
      tags: ["Operations"],
      summary,
      security: [],
      responses: { 200: { description: summary, content: { [type]: { schema: {} } } } },
    },
  });
  return {
    "/api/chats/openapi.json": page("readOpenApi", "This description", "application/json"),
    "/api/chats/docs": page("readDocs", "This description, to read and try", "text/html"),
  };
}

function securitySchemes(): Json {
  const bearer = (description: string) => ({ type: "http", scheme: "bearer", bearerFormat: "JWT", description });
  return {
    sessionToken: bearer(`The session token of the identity provider (RS256). ${SESSION_CLAIMS}`),
    chatToken: bearer("The `token` of an exchange or a mint. A `wsToken` is refused, with an error that says so."),
    wsToken: bearer("The `wsToken` of an exchange or a mint. A `token` is refused, with an error that says so."),
    apiKey: {
      type: "apiKey",
      in: "header",
      name: "X-API-Key",
      description: "An app's key, `chatsdk_live_…`. For servers only: a request with an `Origin` is refused.",
    },
  };
}

function headers(): Json {
  const text = (description: string) => ({ description, schema: { type: "string" } });
  return {
    "X-Request-Id": text("Names this request in our logs; quote it when you ask for help."),
    RateLimit: text('What is left, for example `"token";r=9;t=840`: nine more within 840 seconds.'),
    "RateLimit-Policy": text('The budget, for example `"token";q=10;w=900`: ten in 900 seconds.'),
    "Retry-After": { description: "Seconds to wait before trying again.", schema: { type: "integer" } },
  };
}

function refsTo(names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function toTemplate(path: string): string {
  return path.replace(/:([A-Za-z]+)/g, "{$1}");
}

function pascal(path: string): string {
  return path
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");
}
