import type { AppId, ChannelId, ClientMessageId, UserId } from "../../protocol/ids.ts";
import type { AuditEntry } from "./audit-log.ts";
import type { BanStore } from "./bans.ts";
import type { ChannelStore } from "./channels.ts";
import type { RoomEvent } from "./history.ts";
import type { NewMember } from "./members.ts";

/** What a room hands over to be kept for ever. Writing the same batch again changes nothing. */
export interface RoomBatch {
  app: AppId;
  channelId: ChannelId;
  events: readonly RoomEvent[];
  /** People who joined an open channel. Who is a member already stays as they are; the others become members. */
  members: readonly NewMember[];
  /** Read marks; a mark never goes back. */
  reads: readonly { userId: UserId; seq: number }[];
  /** For the audit log, which learns of messages and new members by the batch itself. */
  audit?: readonly AuditEntry[] | undefined;
}

/** What rooms need of the store. */
export interface RoomStore {
  findChannel: ChannelStore["findChannel"];
  createChannel: ChannelStore["createChannel"];
  findMember: ChannelStore["findMember"];
  listBans: BanStore["listBans"];
  /** The event that has a user's client message id, however old it is. Answers or throws within 2 s. */
  findByClientId(
    app: AppId,
    id: ChannelId,
    userId: UserId,
    clientMessageId: ClientMessageId,
  ): Promise<RoomEvent | undefined>;
  /**
   * Writes the whole batch in one transaction, `ON CONFLICT DO NOTHING`. Begins nothing more once `isOver`.
   *
   * @throws {BatchRefused} when some events can never be written; everything else of the batch has been.
   * @throws {ChatError} `storage_unavailable` when it is worth trying again.
   */
  writeBatch(batch: RoomBatch, isOver?: AbortSignal): Promise<void>;
}
