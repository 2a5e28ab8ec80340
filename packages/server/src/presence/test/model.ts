import type { PresenceBody } from "@aldis/protocol";
import type { Attendant } from "../presence.ts";
import { attendant, BROKEN, channel, GONE, GRACE_MS, user } from "./bench.ts";

export type Step =
  | { readonly come: string; readonly node: number }
  | { readonly go: string; readonly n: number }
  | { readonly breaks: string; readonly n: number }
  | { readonly returns: string; readonly n: number; readonly node: number }
  | { readonly sets: string; readonly n: number; readonly status: string }
  | { readonly advance: number };

export type Move = {
  readonly node: number;
  readonly attendant: Attendant;
  readonly how: "join" | { readonly stays: boolean } | { readonly status: string };
};

/** A session that is in the channel, here or broken. */
type Place = {
  readonly user: string;
  readonly session: string;
  readonly node: number;
  readonly connection: string;
  /** Infinity: it is here. */
  dueAtMs: number;
};

/** The plainest presence there is: a list of places. */
export class PresenceModel {
  readonly #nodes: number;
  /** What users show who are there and have set something. */
  readonly #statuses = new Map<string, string>();
  #places: Place[] = [];
  #nowMs = 0;
  #nextId = 1;
  #told: string[] = [];

  constructor(nodes: number) {
    this.#nodes = nodes;
  }

  /** What has to be done for a step; none when there is nobody for it. */
  apply(step: Step): Move[] {
    if ("come" in step) return [this.#join(step.come, step.node, `s${this.#nextId}`)];
    if ("go" in step) return this.#leave(step.go, step.n, GONE);
    if ("sets" in step) return this.#set(step.sets, step.n, step.status);
    if ("breaks" in step) return this.#leave(step.breaks, step.n, BROKEN);
    if ("returns" in step) {
      const broken = this.#of(step.returns).filter(({ dueAtMs }) => Number.isFinite(dueAtMs));
      const place = broken[step.n % Math.max(1, broken.length)];
      return place === undefined ? [] : [this.#join(step.returns, step.node, place.session)];
    }
    return [];
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#places.filter(({ dueAtMs }) => dueAtMs <= this.#nowMs);
    for (const place of due.toSorted((a, b) => a.dueAtMs - b.dueAtMs)) {
      this.#change(place.user, () => this.#remove(place));
    }
  }

  /** A node is gone, with all that was there by it. */
  forget(node: number): void {
    this.#places = this.#places.filter((place) => place.node !== node);
  }

  /** Who came and went since it was asked last. */
  told(): string[] {
    return this.#told.splice(0);
  }

  body(): PresenceBody {
    const ids = [...new Set(this.#places.map((place) => place.user))].toSorted();
    const users = ids.map((id) => {
      const status = this.#statuses.get(id);
      return user(id, this.#of(id).length, status === undefined ? {} : { status });
    });
    return { channel, count: ids.length, connections: this.#places.length, users };
  }

  #join(who: string, wanted: number, session: string): Move {
    const node = wanted % this.#nodes;
    const connection = `c${this.#nextId++}`;
    this.#change(who, () => {
      // A node knows only its own broken places: one that is elsewhere ends by itself.
      const former = this.#of(who).find(
        (place) =>
          place.session === session && Number.isFinite(place.dueAtMs) && place.node === node,
      );
      if (former !== undefined) this.#remove(former);
      this.#places.push({
        user: who,
        session,
        node,
        connection,
        dueAtMs: Number.POSITIVE_INFINITY,
      });
    });
    return { node, attendant: attendant(who, connection, { of: session }), how: "join" };
  }

  #leave(who: string, n: number, how: { readonly stays: boolean }): Move[] {
    const here = this.#of(who).filter(({ dueAtMs }) => !Number.isFinite(dueAtMs));
    const place = here[n % Math.max(1, here.length)];
    if (place === undefined) return [];
    const { node, session, connection } = place;
    this.#change(who, () => {
      if (!how.stays) return this.#remove(place);
      const former = this.#of(who).find(
        (other) =>
          other.session === session && other.node === node && Number.isFinite(other.dueAtMs),
      );
      if (former !== undefined) this.#remove(former);
      place.dueAtMs = this.#nowMs + GRACE_MS;
    });
    return [{ node, attendant: attendant(who, connection, { of: session }), how }];
  }

  #set(who: string, n: number, status: string): Move[] {
    const here = this.#of(who).filter(({ dueAtMs }) => !Number.isFinite(dueAtMs));
    const place = here[n % Math.max(1, here.length)];
    if (place === undefined) return [];
    const { node, session, connection } = place;
    this.#statuses.set(who, status);
    this.#told.push(`update ${who} ${this.body().count}`);
    return [{ node, attendant: attendant(who, connection, { of: session }), how: { status } }];
  }

  #change(who: string, change: () => void): void {
    const before = this.#of(who).length;
    change();
    const after = this.#of(who).length;
    const { count } = this.body();
    if (before === 0 && after > 0) this.#told.push(`join ${who} ${count}`);
    if (after === 0) this.#statuses.delete(who);
    if (before > 0 && after === 0) this.#told.push(`leave ${who} ${count}`);
  }

  #remove(place: Place): void {
    this.#places = this.#places.filter((other) => other !== place);
  }

  #of(who: string): Place[] {
    return this.#places.filter((place) => place.user === who);
  }
}
