import type { Bend, Reply } from "./deployment.ts";

type Fields = Record<string, unknown>;
type Frame = { type: string } & Fields;

/** Changes the answers of some paths. */
export function onPaths(paths: readonly string[], change: (reply: Reply) => Partial<Reply>): Bend {
  return { http: ({ path }, reply) => (paths.includes(path) ? { ...reply, ...change(reply) } : reply) };
}

/** Changes the answers to one method of one path. */
export function onRoute(method: string, path: string, change: (reply: Reply) => Partial<Reply>): Bend {
  return {
    http: (asked, reply) => (asked.method === method && asked.path === path ? { ...reply, ...change(reply) } : reply),
  };
}

export function withFields(fields: Fields) {
  return ({ body }: Reply): Partial<Reply> => ({ body: Object.assign({}, body, fields) });
}

export function withHeaders(headers: Record<string, string>) {
  return (reply: Reply): Partial<Reply> => ({ headers: { ...reply.headers, ...headers } });
}

export function without(name: string) {
  return ({ headers }: Reply): Partial<Reply> => ({
    headers: Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name)),
  });
}

/** Frames of a type never arrive. */
export function losing(type: string, when: (frame: Frame, to: string) => boolean = () => true): Bend {
  return { frame: (frame, to) => (frame.type === type && when(frame, to) ? undefined : frame) };
}

/** Frames of a type say something else. */
export function saying(type: string, fields: Fields): Bend {
  return { frame: (frame) => (frame.type === type ? { ...frame, ...fields } : frame) };
}
