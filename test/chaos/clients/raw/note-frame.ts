import type { ServerFrame } from "../../../../protocol/frames.ts";
import type { Recorder } from "../../history/recorder.ts";

/** Writes down what a socket was told of people and positions. What concerns messages is written where it is dealt with. */
export function noteFrame(recorder: Recorder, place: { client: string; socket: number }, frame: ServerFrame): void {
  switch (frame.type) {
    case "room_left":
      return recorder.write({ kind: "left", ...place, room: frame.roomId, wanted: true });
    case "presence": {
      const { roomId: room, userId, status } = frame;
      const [online, offline] = status === "online" ? [[userId], []] : [[], [userId]];
      return recorder.write({ kind: "presence", ...place, room, online, offline });
    }
    case "presence_changes": {
      const { roomId: room, changes } = frame;
      const of = (wanted: string) => changes.flatMap(({ userId, status }) => (status === wanted ? [userId] : []));
      return recorder.write({ kind: "presence", ...place, room, online: of("online"), offline: of("offline") });
    }
    case "presence_count": {
      const online = frame.sample.map(({ userId }) => userId);
      const whole = frame.memberCount === online.length;
      return recorder.write({ kind: "presence", ...place, room: frame.roomId, online, offline: [], whole });
    }
    case "typing_indicator": {
      const { roomId: room, userId: user, isTyping } = frame;
      return recorder.write({ kind: "typing", ...place, room, user, isTyping });
    }
    case "heads":
      return recorder.write({ kind: "heads", ...place, rooms: frame.rooms });
    default:
      return;
  }
}
