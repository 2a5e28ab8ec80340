import { Histogram } from "../histogram.ts";
import { Lane, type LanePlan } from "./lane.ts";
import type { ProbeKind, ProbePlan, ProbeReport } from "./wire.ts";

/** Between two samples of a lane, at random. Changes of presence are further apart than `presence.pushIntervalMs`. */
const PAUSE_MS = { presence: [150, 350], message: [50, 150] } as const;

/** Many lanes, each between two nodes of its own choice. */
export class Probe {
  readonly #lanes: Lane[];
  #delays = new Map<ProbeKind, Histogram>();
  #lost: string[] = [];
  #watching: Promise<void> | undefined;
  #isStopped = false;

  private constructor(lanes: Lane[]) {
    this.#lanes = lanes;
  }

  static async open(plan: ProbePlan): Promise<Probe> {
    const lanes: Lane[] = [];
    for (let number = 0; number < plan.lanes; number++) {
      lanes.push(await Lane.open(lanePlan(plan, number)));
    }
    return new Probe(lanes);
  }

  async measure(kinds: ProbeKind[], samples: number): Promise<ProbeReport> {
    const rounds = Math.ceil(samples / this.#lanes.length);
    await Promise.all(this.#lanes.map((lane) => this.#sampleEach(lane, kinds)));
    // The first ones open connections, and run code that nothing has run before.
    this.#delays = new Map();
    await Promise.all(
      this.#lanes.map(async (lane) => {
        for (let round = 0; round < rounds; round++) await this.#sampleEach(lane, kinds);
      }),
    );
    return this.#report();
  }

  /** Goes on by itself until `stop`. */
  watch(kinds: ProbeKind[]): void {
    this.#isStopped = false;
    this.#watching = Promise.all(
      this.#lanes.map(async (lane) => {
        while (!this.#isStopped) await this.#sampleEach(lane, kinds);
      }),
    ).then(() => {});
  }

  async stop(): Promise<ProbeReport> {
    this.#isStopped = true;
    await this.#watching;
    return this.#report();
  }

  async #sampleEach(lane: Lane, kinds: ProbeKind[]): Promise<void> {
    for (const kind of kinds) {
      const [least, most] = PAUSE_MS[kind === "join" || kind === "leave" ? "presence" : "message"];
      await Bun.sleep(least + Math.random() * (most - least));
      const delayMs = await lane.sample(kind);
      if (typeof delayMs === "string") this.#lost.push(delayMs);
      else this.#histogramOf(kind).record(delayMs);
    }
  }

  #histogramOf(kind: ProbeKind): Histogram {
    const known = this.#delays.get(kind);
    if (known !== undefined) return known;
    const made = new Histogram();
    this.#delays.set(kind, made);
    return made;
  }

  #report(): ProbeReport {
    const delays = Object.fromEntries([...this.#delays].map(([kind, of]) => [kind, of.dump()]));
    const report = {
      delays,
      lost: this.#lost,
      refused: this.#lanes.flatMap(({ refused }) => refused.splice(0)),
      tops: this.#lanes.map(({ plan, top }): [number, number] => [plan.room, top]),
    };
    this.#delays = new Map();
    this.#lost = [];
    return report;
  }
}

/** Every pair of nodes gets its turn. */
function lanePlan({ town, roomStep, clustered }: ProbePlan, number: number): LanePlan {
  const { nodes } = town;
  const at = number % nodes.length;
  const further =
    nodes.length === 1 || !clustered
      ? 0
      : 1 + (Math.floor(number / nodes.length) % (nodes.length - 1));
  const from = nodes[at];
  const to = nodes[(at + further) % nodes.length];
  if (from === undefined || to === undefined) throw new Error("a town without nodes");
  return { number, room: (number * roomStep) % town.rooms, from, to };
}
