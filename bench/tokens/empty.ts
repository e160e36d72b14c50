import { Hono } from "hono";

/** What the runtime and the router cost before anything is done. */
export default new Hono().get("/", (c) => c.text("ok"));
