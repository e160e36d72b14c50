import "./shifted-date.ts";
import { setClockOffset } from "./clock-offset.ts";
import worker from "../../../../functions/index.ts";
import { readOffset } from "./clock-path.ts";

/** The Worker as it is, with a clock that can be set. */
export default {
  fetch(request: Request, env: Parameters<typeof worker.fetch>[1]): Promise<Response> | Response {
    const offsetMs = readOffset(request);
    if (offsetMs === undefined) return worker.fetch(request, env);
    setClockOffset(offsetMs);
    return Response.json({ offsetMs });
  },
};
