import type { Script } from "../../redis/script.ts";
import { NOT_LOADED, type RedisArgument } from "../../redis/shard.ts";
import type { Place } from "../../redis/shards.ts";
import { ARRIVE_SCRIPT } from "./run-scripts.ts";

/** A script that is for one run of a server alone. */
export type RunScript = (run: string) => Script;

export type RunsDeps = {
  /** The time that scripts go by, where a test moves it. */
  readonly now: () => number | "";
  /** Whether this node knows all that it has told of lately: else it does not vouch for a server. */
  readonly knowsAll: () => boolean;
  /** Another server, or the same one started anew, has the partition. */
  readonly onChanged: (place: Place) => void;
};

type Known = {
  run: string | undefined;
  /** When the partition was last seen in this run, by its server's clock. */
  seenMs: number | "";
  arriving: Promise<void> | undefined;
};

/** Scripts that are kept; each run of each server has its own. */
const SCRIPTS_MAX = 256;

/**
 * Which run of which server each partition is in. What gives out offsets is run by scripts that name their run: a server that was restarted
 * or has taken over does not know them, so that nothing is published there before this node has arrived, whichever connection it goes by.
 */
export class Runs {
  readonly #deps: RunsDeps;
  readonly #known = new Map<string, Known>();
  readonly #scripts = new Map<RunScript, Map<string, Script>>();

  constructor(deps: RunsDeps) {
    this.#deps = deps;
  }

  async run(
    place: Place,
    script: RunScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<unknown> {
    const known = this.#knownOf(place);
    if (known.run === undefined) await this.arrive(place);
    const answer = await place.shard.runLoaded(this.#of(script, known), keys, args);
    if (answer !== NOT_LOADED) return answer;
    await this.arrive(place);
    return await place.shard.run(this.#of(script, known), keys, args);
  }

  /** The partition was seen. */
  note(place: Place, seenMs: number): void {
    this.#knownOf(place).seenMs = seenMs;
  }

  /** Asks which run it is; once for all that want to know. */
  async arrive(place: Place): Promise<void> {
    const known = this.#knownOf(place);
    known.arriving ??= this.#arrive(place, known).finally(() => {
      known.arriving = undefined;
    });
    await known.arriving;
  }

  async #arrive(place: Place, known: Known): Promise<void> {
    const { now, knowsAll } = this.#deps;
    const vouches = known.run !== undefined && knowsAll();
    const args = [now(), vouches ? known.seenMs : ""];
    const answer = await place.shard.run(ARRIVE_SCRIPT, [place.keys.key("part")], args);
    const run = String(Array.isArray(answer) ? answer[0] : answer);
    const before = known.run;
    known.run = run;
    if (before === run || before === undefined) return;
    known.seenMs = "";
    this.#deps.onChanged(place);
  }

  #knownOf({ shard, partition }: Place): Known {
    const id = `${partition} ${shard.name}`;
    let known = this.#known.get(id);
    if (known === undefined) {
      known = { run: undefined, seenMs: "", arriving: undefined };
      this.#known.set(id, known);
    }
    return known;
  }

  #of(script: RunScript, { run = "" }: Known): Script {
    let byRun = this.#scripts.get(script);
    if (byRun === undefined || byRun.size > SCRIPTS_MAX) {
      byRun = new Map();
      this.#scripts.set(script, byRun);
    }
    let made = byRun.get(run);
    if (made === undefined) {
      made = script(run);
      byRun.set(run, made);
    }
    return made;
  }
}
