import { createConfig, lintFromString } from "@redocly/openapi-core";
import { describe, expect, it } from "vitest";
import { buildOpenApi } from "../../functions/openapi.ts";
import { ROUTES } from "../../functions/routes.ts";
import { ERRORS } from "../../protocol/errors.ts";

interface Operation {
  operationId: string;
  deprecated?: boolean;
  summary: string;
  security: Record<string, string[]>[];
  requestBody?: unknown;
  responses: Record<string, { headers?: Record<string, unknown>; content?: Record<string, unknown> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Record<string, unknown>>; securitySchemes: Record<string, unknown> };
}

const built = buildOpenApi(ROUTES);
const text = `${JSON.stringify(built, undefined, 2)}\n`;
const document = JSON.parse(text) as Document;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

function operationAt(method: string, path: string): Operation {
  const operation = document.paths[path]?.[method];
  if (operation === undefined) throw new Error(`${method} ${path} is not in the document`);
  return operation;
}

describe("the OpenAPI document", () => {
  it("S4-33 has no complaint from a public linter's recommended rules", async () => {
    const config = await createConfig({
      extends: ["recommended"],
      rules: {
        // An upgrade answers 101 and liveness refuses nobody, so neither has a reply of the kind these two ask for.
        "operation-2xx-response": "off",
        "operation-4xx-response": "off",
        // Frames are used where the linter does not look; a test below holds that nothing is unused.
        "no-unused-components": "off",
      },
    });
    const complaints = await lintFromString({ source: text, config });
    expect(complaints.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual(
      [],
    );
  });

  it("is the committed one; npx vitest run test/house -u renews it", async () => {
    await expect(text).toMatchFileSnapshot("../../docs/openapi.json");
  });

  it.each(
    ROUTES.flatMap((route) =>
      [route.path, ...(route.aliases ?? [])].map((path) => [route.method, path, route] as const),
    ),
  )("S4-2 has %s %s", (method, path, route) => {
    const operation = operationAt(method.toLowerCase(), path.replace(/:([A-Za-z]+)/g, "{$1}"));
    expect(operation.summary).toBe(route.summary);
    expect(operation.deprecated ?? false).toBe(path !== route.path);
  });

  it.each([
    ["post", "/v1/token", "/stream/token"],
    ["post", "/v1/token", "/api/chat/token"],
    ["get", "/v1/token", "/api/chat/token"],
    ["post", "/v1/tokens", "/tokens"],
    ["post", "/v1/tokens", "/api/tokens"],
    ["post", "/v1/channels", "/stream/channel"],
    ["get", "/api/chat/health", "/v1/health"],
    ["get", "/api/chat/test-connection", "/v1/test-connection"],
    ["get", "/ws", "/api/ws"],
  ])("describes %s %s and %s as the same, and one of them as deprecated", (method, path, other) => {
    const [{ deprecated: first, ...one }, { deprecated: second, ...two }] = [path, other].map((at) => {
      const {
        operationId: _own,
        description: _words,
        ...rest
      } = operationAt(method, at) as Operation & { description?: string };
      return rest;
    }) as [Operation, Operation];
    expect(two).toEqual(one);
    expect([first, second].filter(Boolean)).toEqual([true]);
  });

  it.each(["/healthz", "/api/chats/openapi.json", "/api/chats/docs", "/v1/sign-in"])("has %s, open to all", (path) => {
    expect(operationAt("get", path).security).toEqual([]);
  });

  it("names every operation once", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("describes errors as problem+json with codes of the closed list only", () => {
    const codes = [...text.matchAll(/"code": \{\s*"enum": \[([^\]]*)\]/g)].flatMap(([, list = ""]) =>
      [...list.matchAll(/"([a-z_]+)"/g)].map(([, code]) => code),
    );
    expect(codes.length).toBeGreaterThan(0);
    expect(codes.filter((code) => !Object.hasOwn(ERRORS, code ?? ""))).toEqual([]);
    expect(document.components.schemas["Problem"]).toMatchObject({
      properties: { code: { enum: Object.keys(ERRORS) } },
    });
  });

  it("groups each code under its own status", () => {
    const misplaced = operations.flatMap(({ operation }) =>
      Object.entries(operation.responses).flatMap(([status, { content }]) =>
        statusesIn(content).filter((found) => found !== status),
      ),
    );
    expect(misplaced).toEqual([]);
  });

  it("tells the budget headers of every route that has a budget", () => {
    for (const route of ROUTES.filter(({ limit }) => limit !== undefined)) {
      const { responses } = operationAt(route.method.toLowerCase(), route.path.replace(/:([A-Za-z]+)/g, "{$1}"));
      const [status = ""] = Object.keys(route.replies);
      expect(Object.keys(responses[status]?.headers ?? {})).toEqual(["X-Request-Id", "RateLimit", "RateLimit-Policy"]);
      expect(responses).toHaveProperty("429");
    }
  });

  it("keeps every schema once, as a component", () => {
    const refs = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
    expect(new Set(refs)).toEqual(new Set(Object.keys(document.components.schemas)));
    expect(text).not.toContain("__shared");
  });

  it("shows nothing of the server: no key, no address of this machine", () => {
    expect(text).not.toMatch(/127\.0\.0\.1|localhost|chatsdk_(live|test)_[a-z0-9]|eyJ/);
  });
});

function statusesIn(content: Record<string, unknown> | undefined): (string | undefined)[] {
  return [...JSON.stringify(content ?? {}).matchAll(/"status":(\d+)/g)].map(([, status]) => status);
}
