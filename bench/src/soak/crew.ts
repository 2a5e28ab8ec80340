import {
  type Checker,
  createChecker,
  type Fault,
  type PublisherLog,
  type SeededRandom,
} from "@aldis/testkit";
import { mintToken, SOAK_KEYS, type SoakTenant } from "../token.ts";
import { publishAs } from "./backend.ts";
import { pickReturn, SoakClient } from "./soak-client.ts";
import type { CycleReport } from "./wire.ts";

/**
 * The clients of one cycle: they connect, subscribe, publish, are cut, come back, and leave, in channels that nobody used
 * before. At its end all come to rest and the checker is asked whether anything was lost.
 */
const CLIENTS = 100;
const CHANNELS_OF_A_KIND = 3;
const STEPS_PER_SECOND = 250;
const TICK_MS = 10;
const AWAY_MAX_MS = 1500;
const HISTORY = { small: 4, large: 2000 } as const;
const TENANTS = Object.keys(SOAK_KEYS) as SoakTenant[];
const LIFETIME_S = 7200;

export type CrewPlan = { port: number; cycle: number; random: SeededRandom };

export class Crew {
  readonly #plan: CrewPlan;
  readonly #checker: Checker;
  readonly #backends: ReadonlyMap<SoakTenant, PublisherLog>;
  readonly #channels: string[];
  readonly #clients: SoakClient[] = [];
  readonly #comingBack = new Set<Promise<void>>();
  readonly #overHttp = new Set<Promise<void>>();
  readonly #faults: Fault[] = [];
  #names = 0;
  #delivered = 0;
  #cuts = 0;

  constructor(plan: CrewPlan) {
    this.#plan = plan;
    const checker = createChecker(
      (channel) => (channel.startsWith("small") ? HISTORY.small : HISTORY.large),
      `cycle-${plan.cycle}`,
    );
    this.#checker = checker;
    this.#backends = new Map(
      TENANTS.map((tenant) => [tenant, checker.publisher(`backend-${tenant}`, tenant)]),
    );
    this.#channels = Object.keys(HISTORY).flatMap((kind) =>
      Array.from({ length: CHANNELS_OF_A_KIND }, (_, n) => `${kind}:cycle-${plan.cycle}-${n}`),
    );
  }

  /** Everyone connects and subscribes. */
  async gather(): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, () => this.#join()));
  }

  async work(durationMs: number): Promise<void> {
    const startedAtMs = performance.now();
    const steps = (STEPS_PER_SECOND * durationMs) / 1000;
    for (let done = 0; done < steps; ) {
      const due = ((performance.now() - startedAtMs) * STEPS_PER_SECOND) / 1000;
      for (; done < Math.min(due, steps); done++) this.#step();
      await Bun.sleep(TICK_MS);
    }
  }

  /** Everyone is back, everything is delivered; what was lost is lost. */
  async rest(): Promise<CycleReport> {
    await Promise.all([...this.#comingBack, ...this.#overHttp]);
    await this.#settle();
    for (const tenant of TENANTS) {
      for (const channel of this.#channels) {
        await this.#publishOverHttp(tenant, channel);
      }
    }
    await this.#settle();
    this.#delivered += this.#clients.reduce((sum, client) => sum + client.delivered, 0);
    const faults = [...this.#faults, ...this.#checker.finish()];
    const { possible, recovered } = this.#checker.resumes;
    return {
      published: this.#checker.counts.intended,
      delivered: this.#delivered,
      cuts: this.#cuts,
      resumes: { possible, recovered },
      faults,
    };
  }

  /** Half of them say goodbye, the other half is cut: their sessions are kept for a while, and then ended. */
  disband(): void {
    this.#clients.forEach((client, index) => {
      if (index % 2 === 0) client.leave();
      else client.cut();
    });
  }

  #complain(detail: string): void {
    this.#faults.push({ kind: "lost", detail });
  }

  async #join(): Promise<void> {
    const { port, cycle, random } = this.#plan;
    const tenant = random.pick(TENANTS);
    const name = `user-${cycle}-${this.#names++}`;
    const client = new SoakClient({
      name,
      tenant,
      token: mintToken(name, { tenant, lifetimeS: LIFETIME_S }),
      url: `ws://127.0.0.1:${port}/ws`,
      checker: this.#checker,
      complain: (detail) => this.#complain(detail),
    });
    await client.connect("fresh");
    for (const channel of this.#channels) if (random.chance(0.6)) client.subscribe(channel);
    this.#clients.push(client);
  }

  /** One thing that happens. */
  #step(): void {
    const { random } = this.#plan;
    const client = random.pick(this.#clients);
    if (!client.connected) return;
    const channel = random.pick(this.#channels);
    const isIn = client.channels.includes(channel);
    const choice = random.next();
    if (choice < 0.4) client.publish(channel);
    else if (choice < 0.55) this.#postPublish(channel);
    else if (choice < 0.65) isIn ? client.unsubscribe(channel) : client.subscribe(channel);
    else if (choice < 0.75) this.#cut(client);
    else if (choice < 0.78) this.#replace(client);
    else if (choice < 0.85) client.ask("history", { channel, limit: 10 });
    else if (isIn && choice < 0.93) client.ask("presence", { channel, status: `at ${choice}` });
    else if (isIn) client.ask("typing", { channel, typing: random.chance(0.5) });
  }

  #cut(client: SoakClient): void {
    const { random } = this.#plan;
    this.#cuts++;
    client.cut();
    this.#remember(this.#comingBack, async () => {
      await Bun.sleep(random.between(0, AWAY_MAX_MS));
      await client.connect(pickReturn(random));
    });
  }

  /** One goes for good, another comes. */
  #replace(client: SoakClient): void {
    this.#clients.splice(this.#clients.indexOf(client), 1);
    this.#delivered += client.delivered;
    client.leave();
    this.#remember(this.#comingBack, () => this.#join());
  }

  #postPublish(channel: string): void {
    const tenant = this.#plan.random.pick(TENANTS);
    this.#remember(this.#overHttp, () => this.#publishOverHttp(tenant, channel));
  }

  async #publishOverHttp(tenant: SoakTenant, channel: string): Promise<void> {
    const backend = this.#backends.get(tenant);
    const payload = backend?.intend(channel);
    if (backend === undefined || payload === undefined) return;
    const { port, cycle } = this.#plan;
    const idempotencyKey = `${cycle}-${payload.n}`;
    const answer = await publishAs(tenant, port, { channel, data: payload, idempotencyKey });
    backend.acknowledge(payload, answer);
  }

  async #settle(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.settle()));
  }

  #remember(among: Set<Promise<void>>, run: () => Promise<void>): void {
    const running = run()
      .catch((error: Error) => this.#complain(error.message))
      .finally(() => among.delete(running));
    among.add(running);
  }
}
