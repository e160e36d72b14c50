import { useEffect, useRef } from "react";
import type { ChatClient } from "../index.ts";

type Tell = (event: { error: Error }) => void | Promise<void>;

/**
 * Tells that tokens were refused: once, and again only after a connection was open in between. So an app that answers
 * with new tokens, and those are refused as well, does not go round in circles.
 */
export function useUnauthorized(client: ChatClient | undefined, tell: Tell | undefined): void {
  const latest = useRef(tell);
  useEffect(() => {
    latest.current = tell;
  });
  useEffect(() => {
    if (client === undefined) return;
    let wasTold = false;
    const refused = client.on("unauthorized", (event) => {
      if (wasTold) return;
      wasTold = true;
      void latest.current?.(event);
    });
    const opened = client.on("open", () => {
      wasTold = false;
    });
    return () => {
      refused.remove();
      opened.remove();
    };
  }, [client]);
}
