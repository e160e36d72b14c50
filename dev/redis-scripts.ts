import { createHash } from "node:crypto";

type Command = readonly string[];

/**
 * Scripts by their hash, as Redis keeps them. They are kept here because the first line of Upstash's own scripts,
 * `#!lua flags=allow-key-locking`, names a flag that only Upstash knows: without that line any Redis runs them, but then
 * under another hash than the client has.
 */
export class ScriptBook {
  readonly #scripts = new Map<string, string>();

  /**
   * The command to send in place of the client's; anything but a script's stays as it is.
   *
   * @throws {Error} `NOSCRIPT` for a script that was never seen, which tells a client to send the whole of it.
   */
  translate(command: Command): Command {
    const [name = "", first = "", ...rest] = command;
    switch (name.toLowerCase()) {
      case "eval":
        this.#keep(first);
        return ["eval", first.replace(/^#!lua[^\n]*\n/, ""), ...rest];
      case "evalsha":
        return this.translate(["eval", this.#require(first), ...rest]);
      case "script":
        return this.#manage(first, rest);
      default:
        return command;
    }
  }

  #manage(verb: string, args: Command): Command {
    switch (verb.toLowerCase()) {
      case "load":
        return ["echo", this.#keep(args[0] ?? "")];
      case "flush":
        this.#scripts.clear();
        return ["ping", "OK"];
      default:
        throw new Error(`ERR unknown subcommand '${verb}'`);
    }
  }

  #keep(script: string): string {
    const hash = createHash("sha1").update(script).digest("hex");
    this.#scripts.set(hash, script);
    return hash;
  }

  #require(hash: string): string {
    const script = this.#scripts.get(hash.toLowerCase());
    if (script === undefined) throw new Error("NOSCRIPT No matching script. Please use EVAL.");
    return script;
  }
}
