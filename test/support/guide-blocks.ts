import { readdir, readFile } from "node:fs/promises";

export interface CodeBlock {
  /** Where it stands, as a file name: `react-line-12.tsx`. */
  file: string;
  page: string;
  language: string;
  text: string;
}

/** Every fenced block of the README and the guides that is TypeScript. */
export async function readCodeBlocks(): Promise<CodeBlock[]> {
  const guides = (await readdir("docs/guides")).filter((file) => file.endsWith(".md"));
  const pages = ["README.md", ...guides.map((file) => `docs/guides/${file}`)];
  return (await Promise.all(pages.map(async (page) => blocksOf(page, await readFile(page, "utf8"))))).flat();
}

function blocksOf(page: string, markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(tsx?)\n([\s\S]*?)^```$/gm)].map(({ 1: language = "", 2: text = "", index }) => {
    const line = markdown.slice(0, index).split("\n").length;
    const name = page.replace(/^.*\//, "").replace(/\.md$/, "");
    return { file: `${name}-line-${line}.${language}`, page, language, text };
  });
}
