import ts from "@typescript/typescript6";
import { clientTypes } from "../../../commands/build/client.ts";
import { page } from "./table.ts";

/** `docs/client.md`: what an app may call, from the types and docstrings that the package is published with. */
export async function clientPage(): Promise<string> {
  const { index, react } = await clientTypes();
  return page(
    "# The client",
    "Generated from the docstrings in `client/`; `npx vitest run test/house -u` writes it anew.",
    '`npm run build -- --client` writes the package to `dist/client`: that folder is what is published, and the only one. It has no dependencies; `parley/react` wants React 18 or newer. `index.js`, the core, has at most 8 kB gzipped: what it takes to connect, to send and receive, and to catch up on what a room still has. It loads `http.js` (1.5 kB) once it is connected, for older history, long absences, read marks of other devices and channels; `storage.js` (1.8 kB) holds `browserStorage` and `keepIn`. Within this project `import "parley"` is the source itself.',
    ...doorOf("parley", index),
    ...doorOf("parley/react", react),
  );
}

function doorOf(name: string, types: string): string[] {
  const { statements } = ts.createSourceFile(`${name}.d.ts`, types, ts.ScriptTarget.Latest, true);
  const ofKind = <Kind extends ts.Statement>(isKind: (node: ts.Node) => node is Kind): Kind[] =>
    byName(statements.filter((node): node is Kind => isKind(node)));
  return [
    `## \`${name}\``,
    ...ofKind(ts.isClassDeclaration).flatMap(classSection),
    ...functionSections(ofKind(ts.isFunctionDeclaration)),
    ...ofKind(ts.isVariableStatement).flatMap(typeSection),
    `### Types of \`${name}\``,
    ...ofKind(isType).flatMap(typeSection),
  ];
}

function isType(node: ts.Node): node is ts.InterfaceDeclaration | ts.TypeAliasDeclaration {
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}

function byName<Declared extends ts.Node>(nodes: Declared[]): Declared[] {
  return nodes.toSorted((one, other) => nameOf(one).localeCompare(nameOf(other), "en"));
}

/** A class begins with its doc and how to make one; every member has a heading of its own. */
function classSection(node: ts.ClassDeclaration): string[] {
  const shown = node.members.filter((member) => !isHidden(member));
  const makers = shown.filter((member) => ts.isConstructorDeclaration(member));
  const name = nameOf(node);
  return [
    `### \`${name}\``,
    ...docOf(node),
    ...makers.flatMap((maker) => [code(`new ${name}${codeOf(maker).slice("constructor".length)}`), ...docOf(maker)]),
    ...shown
      .filter((member) => !ts.isConstructorDeclaration(member))
      .flatMap((member) => [`#### \`${name}.${nameOf(member)}\``, code(codeOf(member)), ...docOf(member)]),
  ];
}

function isHidden(member: ts.ClassElement): boolean {
  return (
    (member.name !== undefined && ts.isPrivateIdentifier(member.name)) ||
    (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) !== 0
  );
}

/** Overloads stand under one heading. */
function functionSections(nodes: ts.FunctionDeclaration[]): string[] {
  return nodes.flatMap((node, at) => [
    ...(at > 0 && nameOf(nodes[at - 1]) === nameOf(node) ? [] : [`### \`${nameOf(node)}\``]),
    code(codeOf(node)),
    ...docOf(node),
  ]);
}

function typeSection(node: ts.Statement): string[] {
  return [`#### \`${nameOf(node)}\``, ...docOf(node), code(codeOf(node))];
}

function nameOf(node: ts.Node | undefined): string {
  if (node === undefined) return "";
  if (ts.isVariableStatement(node)) return node.declarationList.declarations[0]?.name.getText() ?? "";
  return (node as ts.NamedDeclaration).name?.getText() ?? "";
}

function codeOf(node: ts.Node): string {
  return node
    .getText()
    .replace(/^(?:export )?(?:declare )?/, "")
    .replaceAll(/^( {4})+/gm, (indent) => "  ".repeat(indent.length / 4));
}

function code(text: string, language = "ts"): string {
  return `\`\`\`${language}\n${text.trim()}\n\`\`\``;
}

/** What the docstring says, then its parameters, what is thrown, and an example. */
function docOf(node: ts.Node): string[] {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
  if (doc === undefined) return [];
  const tags = (doc.tags ?? []).map((tag) => ({ tag, text: textOf(tag.comment) }));
  const params = tags.filter(({ tag }) => ts.isJSDocParameterTag(tag));
  const others = tags.filter(({ tag }) => !ts.isJSDocParameterTag(tag));
  return [
    textOf(doc.comment),
    params.map(({ tag, text }) => `- \`${(tag as ts.JSDocParameterTag).name.getText()}\`: ${text}`).join("\n"),
    ...others.map(({ tag, text }) => otherTag(tag, text)),
  ].filter((part) => part !== "");
}

function otherTag(tag: ts.JSDocTag, text: string): string {
  if (tag.tagName.text === "example") return code(dedent(text), "tsx");
  if (tag.tagName.text === "returns") return `Returns ${text}`;
  // The type that is thrown stands in braces, which belong to the tag and not to its text.
  const type = ts.isJSDocThrowsTag(tag) ? tag.typeExpression?.type.getText() : undefined;
  return `Throws ${type === undefined ? "" : `\`${type}\`: `}${text}`;
}

function textOf(comment: Parameters<typeof ts.getTextOfJSDocComment>[0]): string {
  return (ts.getTextOfJSDocComment(comment) ?? "").trimEnd();
}

function dedent(text: string): string {
  const lines = text.replace(/^\n+/, "").split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.length - line.trimStart().length);
  // The first line has lost its indent already.
  const common = Math.min(...indents.slice(1), Number.MAX_SAFE_INTEGER);
  return lines.map((line, at) => (at === 0 ? line.trimStart() : line.slice(common))).join("\n");
}
