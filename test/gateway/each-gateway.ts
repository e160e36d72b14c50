import { afterEach, beforeEach, vi } from "vitest";
import { createTestGateway, NOW, type TestGateway } from "./fake-sockets.ts";

/** The gateway of the test that runs. */
export let gateway: TestGateway;

/**
 * Every test of a file begins with a gateway of its own, at the same time, on a clock that only moves when told.
 *
 * @param random What stands for chance; 1 makes every backoff as long as it may be.
 */
export function openGatewayForEachTest(random?: number): void {
  beforeEach(async () => {
    vi.useFakeTimers({ now: NOW });
    gateway = await createTestGateway(random);
  });
  afterEach(() => void vi.useRealTimers());
}
