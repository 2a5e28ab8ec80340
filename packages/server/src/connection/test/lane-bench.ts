import { type ChannelName, parseChannelName } from "@aldis/protocol";
import { type Frame, frameOf, publicationFrame } from "../../hub/frame.ts";
import type { LanePolicy } from "../../hub/subscription.ts";
import { createCounters } from "../../observe/counters.ts";
import { createTextWriter } from "../burst-writer.ts";
import { createFlusher } from "../flusher.ts";
import { Lane } from "../lane.ts";
import { Outbox } from "../outbox.ts";
import { FakeSocket } from "./fake-socket.ts";

export function channelNamed(name: string): ChannelName {
  const parsed = parseChannelName(name.replace("*", "x"));
  if (!parsed.ok) throw new Error(parsed.message);
  return name as ChannelName;
}

/** A publication of about so many bytes. */
export function publication(channel: string, offset: number, bytes = 0, key?: string): Frame {
  const data = "x".repeat(bytes);
  const json = JSON.stringify({ channel, offset, key, data });
  return publicationFrame({
    channel: channelNamed(channel),
    offset,
    key,
    json,
    exclude: undefined,
  });
}

/** What a frame says, for comparisons: `7` a message, `<9 -2` two left out up to 9, anything else itself. */
function shortOf(text: string): string {
  if (!text.startsWith("{")) return text.replace(/\.+$/, "");
  const { action, data } = JSON.parse(text);
  if (action === "message") return String(data.offset);
  return action === "position" ? `<${data.offset ?? data.channel} -${data.skipped}` : action;
}

/** A connection's outbox and lanes, over a socket whose peer takes what a test says. */
export class LaneBench {
  readonly socket = new FakeSocket();
  readonly counters = createCounters();
  readonly outbox: Outbox;
  readonly told = { overflow: 0, room: 0, flushed: 0 };
  /** What is done when there is room again. */
  onRoom: () => void = () => {};
  readonly #turns: (() => void)[] = [];

  constructor(options: { readonly maxBytes?: number; readonly resumeBytes?: number } = {}) {
    const { maxBytes = 1_000, resumeBytes = 500 } = options;
    this.outbox = new Outbox(
      {
        socket: this.socket,
        onOverflow: () => this.told.overflow++,
        onBlocked: () => {},
        onFlushed: () => this.told.flushed++,
        onSent: () => {},
        onRoom: () => {
          this.told.room++;
          this.onRoom();
        },
        onFault: (error) => {
          throw error;
        },
      },
      createFlusher((flush) => this.#turns.push(flush)),
      {
        maxBytes,
        resumeBytes,
        writer: createTextWriter(Number.POSITIVE_INFINITY),
        counters: this.counters,
      },
    );
  }

  lane(policy: LanePolicy, channel = "chat:a", offset = 0): Lane {
    const { outbox } = this;
    const owner = {
      ...{ connectionId: "c", userId: "ann", lastDelivery: 0, outbox },
      handOver: (frame: Frame) => outbox.append(frame),
      deliver: (frame: Frame) => outbox.push(frame),
    };
    const lane = new Lane(owner, this.counters, channelNamed(channel), policy);
    lane.start({ offset, epoch: "e" });
    return lane;
  }

  /** The peer takes nothing from now on. */
  block(): void {
    this.socket.window = 0;
    this.outbox.push(frameOf("stop"));
    this.turn();
  }

  /** It takes everything again. */
  unblock(): void {
    this.socket.window = Number.POSITIVE_INFINITY;
    if (this.socket.take(Number.POSITIVE_INFINITY)) this.outbox.drained();
    this.turn();
  }

  turn(): void {
    for (const flush of this.#turns.splice(0)) flush();
  }

  get sent(): string[] {
    return this.socket.sent.map(shortOf);
  }
}
