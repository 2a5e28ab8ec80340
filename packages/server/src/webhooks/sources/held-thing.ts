/**
 * One thing that a node holds or held a moment ago, as a machine of two parts: what is so (`presence`, changed by hooks in the turn in which it becomes so), and what the records say
 * (`written`, changed by whoever writes them, one step after another). {@link nextStep} is what has to be done for the one to follow the other:
 *
 * |              | `nothing`                              | `held` by this name | `held` by a former one | `leaving`         |
 * | ------------ | -------------------------------------- | ------------------- | ---------------------- | ----------------- |
 * | `here`       | take                                   | –                   | take                   | take              |
 * | `away`       | take: it may be back                   | –                   | take                   | take              |
 * | `gone`       | make good; of before: retract          | let go              | let go                 | let go            |
 * | `ended`      | make good; of before: end              | end                 | end                    | end               |
 * | `unwanted`   | drop                                   | drop                | drop                   | drop              |
 *
 * _Of before_: it was there before anybody was to hear of it (`silentUntilMs`). To retract, let go, end or drop what is in no record by any name is to forget it.
 */
import type { Due } from "../../plugins/index.ts";
import type { Place } from "./fair-line.ts";
import type { Thing } from "./lives.ts";
import type { About } from "./records.ts";

/** `away`: its grace time is not over. `ended`: over for all, whoever else holds it. `unwanted`: nobody wants to hear of it any more. */
export type Presence = "here" | "away" | "gone" | "ended" | "unwanted";

/** `leaving`: it may be written already that it is over. */
export type Written = "nothing" | "held" | "leaving";

/** `makeGood`: that it was here is told, now that it is gone. `retract`: what may have been written without a word is taken back in the same way. */
export type Step = Leaving | "take" | "makeGood" | "forget" | "none";
export type Leaving = "letGo" | "end" | "drop" | "retract";

export type HeldThing = Due & {
  readonly thing: Thing;
  about: About;
  presence: Presence;
  written: Written;
  /** The life of this node by whose name it is written that it is held. */
  heldIn: number;
  /** It may be written that these hold it; the last is the one that is to. */
  readonly holders: string[];
  /** It was there before anybody was to hear of it, and if it is written by then, in monotonic milliseconds, nobody is told that it began; 0: they are. Infinity: no other node can have told its end. */
  silentUntilMs: number;
  /** Unix milliseconds. */
  cameAtMs: number;
  goneAtMs: number;
  /** It is counted among those that are to be made good. */
  isOwed: boolean;
  /** It is being written. */
  isWriting: boolean;
  /** Where it waits for that. */
  place: Place<HeldThing> | undefined;
  /** Those who want to know that it is written. */
  waiting: (() => void)[] | undefined;
};

export function createHeldThing(thing: Thing, about: About, cameAtMs: number): HeldThing {
  return {
    ...{ thing, about, presence: "here", written: "nothing", heldIn: 0, holders: [] },
    ...{ silentUntilMs: 0, cameAtMs, goneAtMs: 0, isOwed: false, isWriting: false },
    ...{ place: undefined, waiting: undefined, dueAtMs: 0, heapIndex: -1 },
  };
}

/** What is to be done next, for a node in this life of its. */
export function nextStep(held: HeldThing, life: number): Step {
  const { presence, written, holders, silentUntilMs } = held;
  if (isHere(held)) return written === "held" && held.heldIn === life ? "none" : "take";
  if (isToBeMadeGood(held)) return "makeGood";
  if (holders.length === 0) return "forget";
  if (presence === "unwanted") return "drop";
  if (presence === "ended") return "end";
  return silentUntilMs > 0 && Number.isFinite(silentUntilMs) ? "retract" : "letGo";
}

/** It is held, as far as others are concerned. */
export function isHere({ presence }: HeldThing): boolean {
  return presence === "here" || presence === "away";
}

/** It came and is gone, and nobody was told yet. Not what was there before an endpoint: the endpoint may have been told of its end by another node. */
export function isToBeMadeGood({ presence, written, silentUntilMs }: HeldThing): boolean {
  const isOver = presence === "gone" || presence === "ended";
  return isOver && written === "nothing" && silentUntilMs === 0;
}

/** What was there before an endpoint, or is after it: nobody is waiting to be told. */
export function canWait({ silentUntilMs, presence }: HeldThing): boolean {
  return silentUntilMs > 0 || presence === "unwanted";
}
