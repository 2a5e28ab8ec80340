import type { ChannelKey } from "../tenant/tenant.ts";

type Place = { epoch: string; offset: number };

/** Channels that are followed by patterns; the oldest goes when there are more. */
const CHANNELS_MAX = 10_000;

/**
 * How far patterns have been served in each channel that they match, so that what a broker repeats comes once, and what it lost is
 * told. What is forgotten here may come twice, or be missing unnoticed: patterns are live only (SU6).
 */
export class FollowedChannels {
  readonly #places = new Map<ChannelKey, Place>();

  /** A publication has come; `missed`: what was before it did not. */
  note(key: ChannelKey, offset: number, epoch: string): "next" | "repeat" | "missed" {
    const place = this.#places.get(key);
    if (place === undefined) {
      this.#add(key, { epoch, offset });
      return "next";
    }
    const isSame = place.epoch === epoch;
    if (isSame && offset <= place.offset) return "repeat";
    const follows = isSame && offset === place.offset + 1;
    place.epoch = epoch;
    place.offset = offset;
    return follows ? "next" : "missed";
  }

  /** Those who follow it have been told that it starts anew there. */
  moveTo(key: ChannelKey, offset: number, epoch: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    place.epoch = epoch;
    place.offset = offset;
  }

  /** Nobody follows what starts with `prefix`, or others do who will hear of it anew. */
  forget(prefix: string): void {
    for (const key of this.#places.keys()) if (key.startsWith(prefix)) this.#places.delete(key);
  }

  #add(key: ChannelKey, place: Place): void {
    if (this.#places.size >= CHANNELS_MAX) {
      const [oldest] = this.#places.keys();
      if (oldest !== undefined) this.#places.delete(oldest);
    }
    this.#places.set(key, place);
  }
}
