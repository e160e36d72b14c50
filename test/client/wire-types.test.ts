import { describe, expectTypeOf, it } from "vitest";
import type { Channel, ChannelPage, NewChannel, RoomPresence } from "../../client/channels.ts";
import type { Person, Sent } from "../../client/types.ts";
import type * as frames from "../../protocol/frames.ts";
import type * as http from "../../protocol/http.ts";

/** The client's types are written by hand, so that apps need no zod to read them. These fail to compile when they drift. */
describe("the client's own types", () => {
  it("take what the server answers", () => {
    expectTypeOf<http.Channel>().toExtend<Channel>();
    expectTypeOf<http.ChannelPage>().toExtend<ChannelPage>();
    expectTypeOf<http.RoomPresence>().toExtend<RoomPresence>();
    expectTypeOf<Omit<frames.ServerFrameOf<"ack">, "type" | "roomId" | "clientMessageId">>().toExtend<Sent>();
    expectTypeOf<frames.RoomMember>().toExtend<Person>();
  });

  it("leave out only the other names of a channel's fields", () => {
    expectTypeOf<Exclude<keyof http.Channel, keyof Channel>>().toEqualTypeOf<
      "channelId" | "channel_id" | "channel_name"
    >();
    expectTypeOf<keyof ChannelPage>().toEqualTypeOf<keyof http.ChannelPage>();
    expectTypeOf<keyof RoomPresence>().toEqualTypeOf<keyof http.RoomPresence>();
    expectTypeOf<Channel["type"]>().toEqualTypeOf<http.Channel["type"]>();
  });

  it("ask for nothing the server does not know", () => {
    expectTypeOf<keyof NewChannel>().toExtend<keyof http.CreateChannelRequest>();
    expectTypeOf<NonNullable<NewChannel["type"]>>().toEqualTypeOf<NonNullable<http.CreateChannelRequest["type"]>>();
  });
});
