import type * as z from "zod/mini";
import { type Json, SchemaBook } from "../../../functions/openapi-schemas.ts";
import { table } from "./table.ts";

const book = new SchemaBook([]);

/** The fields of a frame as a table, from its schema. `type` is left out: the heading has it. */
export function fieldsTable(frame: z.ZodMiniType): string {
  const fields = book.fieldsOf(frame).filter(({ name }) => name !== "type");
  if (fields.length === 0) return "No fields.";
  return table(
    ["field", "type", "needed"],
    fields.map(({ name, schema, required }) => [`\`${name}\``, typeOf(schema as Json), required ? "yes" : "no"]),
  );
}

function typeOf(schema: Json): string {
  if (typeof schema["$ref"] === "string") return `\`${schema["$ref"].split("/").at(-1)}\``;
  if (Array.isArray(schema["enum"]))
    return schema["enum"].length > 10 ? "an error code" : schema["enum"].map((value) => `\`"${value}"\``).join(" or ");
  if (schema["type"] === "array") return `list of ${typeOf(schema["items"] as Json)}`;
  if (schema["type"] === "object" && typeof schema["additionalProperties"] === "object")
    return `object: ${typeOf(schema["propertyNames"] as Json)} to ${typeOf(schema["additionalProperties"] as Json)}`;
  if (schema["type"] === "object")
    return `object of ${Object.keys((schema["properties"] ?? {}) as Json)
      .map((name) => `\`${name}\``)
      .join(", ")}`;
  if (schema["format"] === "date-time") return "ISO 8601 time";
  return typeof schema["maxLength"] === "number"
    ? `string, at most ${schema["maxLength"]} characters`
    : String(schema["type"]);
}

/** A named type of the tables in one line: its pattern, its range or its fields. */
export function namedType(name: string, schema: z.ZodMiniType): string[] {
  const json = book.reachableFrom([book.refTo(schema)])[name] ?? {};
  if (typeof json["pattern"] === "string") return [`\`${name}\``, `string that matches \`${json["pattern"]}\``];
  if (json["type"] === "integer") return [`\`${name}\``, `whole number from ${String(json["minimum"])}`];
  const fields = book
    .fieldsOf(schema)
    .map((field) => `\`${field.name}\`${field.required ? "" : "?"}: ${typeOf(field.schema as Json)}`);
  return [`\`${name}\``, fields.join(", ")];
}
