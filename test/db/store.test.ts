import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemoryStore } from "../support/memory-store.ts";
import { reasonForNoPostgres } from "../support/real-postgres.ts";
import { describeAudit } from "./contract/audit.ts";
import { describeAuditedActions } from "./contract/audited-actions.ts";
import { describeBatches } from "./contract/batches.ts";
import { describeChannels } from "./contract/channels.ts";
import { describeHistory } from "./contract/history.ts";
import { describeInjection } from "./contract/injection.ts";
import { describeKeys, describeUsers } from "./contract/keys-and-users.ts";
import type { OpenedStore } from "./contract/opened-store.ts";
import { describePeople } from "./contract/people.ts";
import { openLocalStore, openRealStore } from "./databases.ts";
import { describeNewMembers } from "./new-members.ts";
import { describeRepeatedClientIds } from "./repeated-client-ids.ts";

describeStore("memory", async () => ({ store: createMemoryStore(), close: async () => {} }));
describeStore("the local database", openLocalStore);
const reason = reasonForNoPostgres();
if (reason === undefined) describeStore("a real Postgres", openRealStore);
else describe.skip(`the store in a real Postgres (skipped: ${reason})`, () => it("is not run", () => {}));

/** One contract for every store, so that what tests build on is what production does. */
function describeStore(name: string, open: () => Promise<OpenedStore>): void {
  describe(`the store in ${name}`, () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open();
    }, 60_000);
    afterAll(async () => opened.close());

    describeKeys(() => opened);
    describeUsers(() => opened);
    describeChannels(() => opened);
    describePeople(() => opened);
    describeHistory(() => opened);
    describeBatches(() => opened);
    describeAudit(() => opened);
    describeAuditedActions(() => opened);
    describeNewMembers(() => opened);
    describeRepeatedClientIds(() => opened);
    describeInjection(() => opened);

    it("answers a ping, and none that is given up", async () => {
      await opened.store.ping(new AbortController().signal);
      await expect(opened.store.ping(AbortSignal.abort())).rejects.toMatchObject({
        code: "storage_unavailable",
      });
    });
  });
}
