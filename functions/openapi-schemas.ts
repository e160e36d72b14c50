import * as z from "zod/mini";
import * as frames from "../protocol/frames.ts";
import * as http from "../protocol/http.ts";
import * as ids from "../protocol/ids.ts";
import type { Route } from "./route.ts";

/** A piece of a JSON document. */
export type Json = { [name: string]: unknown };

const AT = "#/components/schemas/";
const SHARED = "__shared#/$defs/schema0";

/** Turns zod schemas into the document's components: the exports of protocol/ by their names, a route's own by its id. */
export class SchemaBook {
  readonly #registry = z.registry<{ id: string }>();
  readonly #schemas: Record<string, Json>;

  constructor(routes: readonly Route[]) {
    for (const [name, value] of Object.entries({ ...ids, ...frames, ...http }))
      if (value instanceof z.ZodMiniType) this.#name(value, name);
    for (const route of routes) this.#nameOwn(route);
    this.#schemas = this.#generate();
  }

  /** The reference to a schema's component. */
  refTo(schema: z.ZodMiniType): { $ref: string } {
    return { $ref: AT + this.#idOf(schema) };
  }

  /** The fields of an object's schema, in order, for parameters. */
  fieldsOf(schema: z.ZodMiniType): { name: string; schema: unknown; required: boolean }[] {
    const { properties = {}, required = [] } = this.#schemas[this.#idOf(schema)] ?? {};
    const mustHave = new Set(required as string[]); // as JSON Schema has it
    return Object.entries(properties as Json).map(([name, field]) => ({
      name,
      schema: field,
      required: mustHave.has(name),
    }));
  }

  /** The components that a document needs: those it refers to, and those they refer to. */
  reachableFrom(document: unknown): Record<string, Json> {
    const found = new Set<string>();
    const visit = (node: unknown): void => {
      for (const [, id] of JSON.stringify(node).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
        if (id === undefined || found.has(id)) continue;
        found.add(id);
        visit(this.#schemas[id]);
      }
    };
    visit(document);
    return Object.fromEntries([...found].toSorted().map((id) => [id, this.#schemas[id] ?? {}]));
  }

  #nameOwn(route: Route): void {
    const id = route.id.charAt(0).toUpperCase() + route.id.slice(1);
    if (route.params !== undefined) this.#name(route.params, `${id}Params`);
    if (route.query !== undefined) this.#name(route.query, `${id}Query`);
    if (route.body !== undefined) this.#name(route.body, `${id}Request`);
    for (const [status, { schema }] of Object.entries(route.replies))
      if (!(schema instanceof z.ZodMiniUndefined)) this.#name(schema, `${id}Reply${status}`);
  }

  #name(schema: z.ZodMiniType, id: string): void {
    if (!this.#registry.has(schema)) this.#registry.add(schema, { id });
  }

  #idOf(schema: z.ZodMiniType): string {
    const id = this.#registry.get(schema)?.id;
    if (id === undefined) throw new Error("A route uses a schema that was not named");
    return id;
  }

  #generate(): Record<string, Json> {
    const { schemas } = z.toJSONSchema(this.#registry, {
      target: "draft-2020-12",
      io: "input",
      unrepresentable: "any",
      uri: (id) => AT + id,
      // `format` says it in one word; the pattern takes six lines to say the same.
      override: ({ jsonSchema }) => {
        if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
      },
    });
    const text = JSON.stringify(schemas).replaceAll(SHARED, "JsonValue");
    const { __shared: shared, ...named } = JSON.parse(text) as Record<string, Json>;
    const { schema0 = {} } = (shared?.["$defs"] ?? {}) as Record<string, Json>;
    return { ...withoutIds(named), JsonValue: { description: "Any JSON value", ...schema0 } };
  }
}

function withoutIds(schemas: Record<string, Json>): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _dialect, $id: _id, ...schema }]) => [name, schema]),
  );
}
