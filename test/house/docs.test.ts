import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import * as z from "zod";

const Package = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
  scripts: z.record(z.string(), z.string()),
});

const packageJson = Package.parse(JSON.parse(await readFile("package.json", "utf8")));
const readme = await readFile("README.md", "utf8");
const pages = [
  "README.md",
  "CHANGELOG.md",
  ...(await readdir("docs", { recursive: true })).filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`),
];

/** Cells of the rows of a page's tables, without heads and lines. */
function rowsOf(markdown: string): string[][] {
  return markdown
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| -|^\| :?-/.test(line))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function pathsIn(text: string): string[] {
  return [...text.matchAll(/`([A-Za-z.][\w./-]*\/[\w./-]*|\.?[\w-]+\.(?:ts|toml|json))`/g)].map(
    ([, path = ""]) => path,
  );
}

/** The titles of the tests in a file, as far as they stand in it as text. */
function titlesOf(source: string): string {
  return [
    ...source.matchAll(
      /(?:\bit|\btest|\bdescribe)\b[^\n]*|^\s*\](?: as const)?(?:,|\)\().*$|^\s*(?:\[\s*)?["'`][^\n]*/gm,
    ),
  ]
    .map(([line]) => line)
    .join("\n");
}

describe("README's map", () => {
  const map = readme.slice(readme.indexOf("## To change X"), readme.indexOf("## Docs"));

  it.each(pathsIn(map))("%s is there", (path) => {
    expect(existsSync(path)).toBe(true);
  });

  it("names something to edit and something to test in every row", () => {
    const rows = rowsOf(map).slice(1);
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(([, edit = "", test = ""]) => pathsIn(edit).length === 0 || pathsIn(test).length === 0)).toEqual(
      [],
    );
  });

  it("names commands there are", () => {
    const named = [...readme.matchAll(/npm run (?:-s )?([a-z][\w:]*)/g)].map(([, name]) => name);
    expect(named.filter((name) => !Object.hasOwn(packageJson.scripts, name ?? ""))).toEqual([]);
  });

  it("names every command there is", () => {
    expect(
      Object.keys(packageJson.scripts).filter(
        (name) => name !== "test" && !readme.includes(`npm run ${name}`) && !readme.includes(`npm run -s ${name}`),
      ),
    ).toEqual([]);
  });
});

describe("links between pages", () => {
  it.each(pages)("%s links to pages and headings there are", async (page) => {
    const links = [...(await readFile(page, "utf8")).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(
      ([, to = ""]) => to,
    );
    const base = page.includes("/") ? page.slice(0, page.lastIndexOf("/") + 1) : "";
    const broken = await Promise.all(links.map(async (link) => ((await isThere(base, link, page)) ? [] : [link])));
    expect(broken.flat()).toEqual([]);
  });
});

async function isThere(base: string, link: string, page: string): Promise<boolean> {
  const [path = "", heading] = link.split("#");
  const file = path === "" ? page : base + path;
  if (!existsSync(file)) return false;
  if (heading === undefined) return true;
  const headings = [...(await readFile(file, "utf8")).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .trim()
      .replaceAll(" ", "-"),
  );
  return headings.includes(heading);
}

describe("paths in the docs", () => {
  it.each(pages)("%s names files and folders there are", async (page) => {
    const text = (await readFile(page, "utf8")).replace(/```[\s\S]*?```/g, "");
    const own = pathsIn(text).filter((path) =>
      /^(protocol|domain|functions|party|db|dev|commands|bench|test|web|docs|\.github|\.ci)\//.test(path),
    );
    expect(own.filter((path) => !existsSync(path))).toEqual([]);
  });

  it.each(pages)("%s has no path of a machine", async (page) => {
    expect(await readFile(page, "utf8")).not.toMatch(/(^|[\s`("'])\/(work|home|tmp|root|Users)\//m);
  });
});

describe("docs/threats.md", async () => {
  const rows = rowsOf(await readFile("docs/threats.md", "utf8")).filter(([id = ""]) => /^[A-Z]\d\d$/.test(id));
  const claims = rows.flatMap(([id = "", , where = ""]) => pathsIn(where).map((path) => [id, path] as const));
  const counts = { J: 28, K: 11, T: 20, W: 20, M: 12, A: 14, F: 21, X: 9, I: 15, D: 18, O: 9 };

  it.each(Object.entries(counts))("has every %s row, %i of them", (letter, count) => {
    const ids = rows.map(([id]) => id).filter((id) => id?.startsWith(letter));
    expect(ids).toEqual(Array.from({ length: count }, (_, at) => `${letter}${String(at + 1).padStart(2, "0")}`));
  });

  it("says for each row which tests hold it, or why none does", () => {
    const open = rows.filter(([, , where = ""]) => pathsIn(where).length === 0);
    expect(open.filter(([, , where = ""]) => !/^(not yet|does not apply): ./.test(where))).toEqual([]);
  });

  it("has no row without tests that has one", async () => {
    const files = (await readdir("test", { recursive: true })).filter((file) => file.endsWith(".test.ts"));
    const titles = await Promise.all(files.map(async (file) => titlesOf(await readFile(`test/${file}`, "utf8"))));
    const open = rows.filter(([, , where = ""]) => pathsIn(where).length === 0).map(([id]) => id);
    expect(open.filter((id) => new RegExp(`\\b${id}\\b`).test(titles.join("\n")))).toEqual([]);
  });

  it.each(claims)("%s stands in a test's name in %s", async (id, path) => {
    expect(titlesOf(await readFile(path, "utf8"))).toMatch(new RegExp(`\\b${id}\\b`));
  });
});

describe("docs/dependencies.md", async () => {
  const text = await readFile("docs/dependencies.md", "utf8");
  const rows = rowsOf(text);
  const listed = rows.map(([name = ""]) => /`([^`]+)`/.exec(name)?.[1]);

  it.each(Object.keys({ ...packageJson.dependencies, ...packageJson.devDependencies }))(
    "says what %s is for",
    (name) => {
      const row = rows[listed.indexOf(name)];
      expect(row?.every((cell) => cell !== "")).toBe(true);
    },
  );

  it("lists nothing that is not used any more", () => {
    const known = { ...packageJson.dependencies, ...packageJson.devDependencies };
    expect(listed.filter((name) => name !== undefined && !Object.hasOwn(known, name))).toEqual([]);
  });
});

describe("docs/requirements.md", async () => {
  const rows = rowsOf(await readFile("docs/requirements.md", "utf8")).filter(([id = ""]) => /^S\d-\d+$/.test(id));
  const counts = [33, 19, 28, 25, 33];

  it.each(counts.map((count, document) => [document, count] as const))(
    "has every demand of document %i",
    (document, count) => {
      const ids = rows.map(([id]) => id).filter((id) => id?.startsWith(`S${document}-`));
      expect(ids).toEqual(Array.from({ length: count }, (_, at) => `S${document}-${at + 1}`));
    },
  );

  it("says of each whether it is met, and where if it is", () => {
    const unclear = rows.filter(
      ([, , met = "", where = ""]) =>
        !["yes", "partly", "not yet"].includes(met) || (met !== "not yet" && where === ""),
    );
    expect(unclear).toEqual([]);
  });
});
