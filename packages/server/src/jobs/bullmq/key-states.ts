import type { Script } from "../../redis/script.ts";
import type { Place } from "../../redis/shards.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import type { JobKind } from "../jobs.ts";
import { BEGIN, END, RING, RING_STRETCHED, RUNG, WAKE, WAKE_LATER } from "./scripts.ts";

/** A key of one kind of work. */
export type JobName = { readonly kind: JobKind; readonly tenant: TenantId; readonly key: string };

/** How a turn ends: `paused` is for a failure, or for who waits until a time. */
export type StateEnd =
  | { readonly how: "done" }
  | { readonly how: "at"; readonly atMs: number }
  | {
      readonly how: "paused";
      readonly atMs: number;
      readonly waitMs: number;
      readonly failures: number;
    }
  | { readonly how: "stopped"; readonly atMs: number; readonly failures: number };

const RUNG_AT_ONCE = 200;
const FAR_AT_ONCE = 500;
/** Who takes due keys has this long to wake them; then others do. */
const RINGING_MS = 5_000;

/** What Redis keeps of keys beside BullMQ's own. Rejects with `Unavailable` when it is away. */
export class KeyStates {
  readonly #place: Place;
  readonly #clock: Clock;

  constructor(place: Place, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
  }

  /** Its priority among those that wait; undefined: it waits for a time, which was kept. */
  async wake(name: JobName, force: boolean): Promise<number | undefined> {
    const args = [name.tenant, this.#clock.nowMs(), force ? 1 : 0];
    const priority = Number(await this.#run(WAKE, name.kind, [idOf(name), ...args]));
    return priority === 0 ? undefined : priority;
  }

  async wakeLater(name: JobName, atMs: number): Promise<void> {
    await this.#run(WAKE_LATER, name.kind, [idOf(name), atMs]);
  }

  /** How often the key has failed; undefined: it is not its time. */
  async begin(name: JobName, turn: string): Promise<number | undefined> {
    const answer = await this.#run(BEGIN, name.kind, [idOf(name), this.#clock.nowMs(), turn]);
    return typeof answer === "number" ? answer : undefined;
  }

  /** Nothing is changed when the turn is not the latest of its key. */
  async end(name: JobName, turn: string, end: StateEnd): Promise<void> {
    const failures = "failures" in end ? end.failures : 0;
    const atMs = end.how === "done" ? 0 : end.atMs;
    const waitMs = end.how === "paused" ? Math.ceil(end.waitMs) : 0;
    await this.#run(END, name.kind, [idOf(name), turn, end.how, failures, atMs, waitMs]);
  }

  /** Has `wake` wake the keys whose time has come. Returns how many there were. */
  async ring(kind: JobKind, wake: (name: JobName) => Promise<void>): Promise<number> {
    const nowMs = this.#clock.nowMs();
    const untilMs = nowMs + RINGING_MS;
    const due = await this.#run(RING, kind, ["", nowMs, untilMs, RUNG_AT_ONCE]);
    const ids = Array.isArray(due) ? due.map(String) : [];
    await Promise.all(
      ids.map(async (id) => {
        const name = nameOf(id, kind);
        if (name !== undefined) await wake(name);
        await this.#run(RUNG, kind, [id, untilMs]);
      }),
    );
    return ids.length;
  }

  /** Has {@link ring} find the keys that would wait for too long, as the clock was set back. */
  async ringStretched(kind: JobKind): Promise<void> {
    let first = 0;
    for (let found = FAR_AT_ONCE; found === FAR_AT_ONCE; ) {
      const args = ["", this.#clock.nowMs(), first, FAR_AT_ONCE];
      const answer = await this.#run(RING_STRETCHED, kind, args);
      const [looked, kept] = Array.isArray(answer) ? answer.map(Number) : [];
      found = looked ?? 0;
      first += kept ?? 0;
    }
  }

  async #run(script: Script, kind: JobKind, args: readonly (string | number)[]): Promise<unknown> {
    return await this.#place.shard.run(script, this.#keysOf(kind), args);
  }

  /** Times are kept for each kind, so that no process looks at what it does not know. */
  #keysOf({ name, queue }: JobKind): string[] {
    const { keys } = this.#place;
    return [
      keys.key("jobs-waiting", queue),
      keys.key("jobs-tenants", queue),
      keys.key("jobs-clock", queue),
      keys.key("jobs-states", queue),
      keys.key("jobs-forced", queue),
      keys.key("jobs-later", name),
    ];
  }
}

/** Neither a kind nor a tenant holds a space. */
export function idOf({ kind, tenant, key }: JobName): string {
  return `${kind.name} ${tenant} ${key}`;
}

function nameOf(id: string, kind: JobKind): JobName | undefined {
  const [, tenant, key] = /^\S+ (\S+) (.+)$/s.exec(id) ?? [];
  return tenant === undefined || key === undefined
    ? undefined
    : { kind, tenant: tenant as TenantId, key };
}
