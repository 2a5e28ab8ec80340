// The hooks of one name, of all plugins in their order.
import { type Refusal, refuse } from "@aldis/protocol";
import type { Awaitable } from "../../awaitable.ts";
import { type Counters, countPair } from "../../observe/counters.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import type { PluginContext } from "../context.ts";
import type { Hook, HookWithOptions } from "../hooks.ts";
import { inTime, settled } from "./in-time.ts";
import { isUnavailable, type PluginFaults, refusalIn } from "./plugin-faults.ts";
import type { HookName } from "./plugin-shape.ts";

export type HookDeps = { readonly clock: Clock; readonly counters: Counters };

/** One plugin's hook, ready to be called. */
type Link<Call, Answer> = {
  readonly plugin: string;
  readonly faults: PluginFaults;
  readonly run: (call: Call) => Awaitable<Answer>;
  readonly namespaces: ReadonlySet<string> | undefined;
  /** Has `concerns`, which is called as its own: a bound one costs more than what it answers. */
  readonly hook: HookWithOptions<Call, Answer, unknown>;
  readonly timeLimitMs: number;
  readonly onFailure: "refuse" | "pass";
};

export type HookOwner = {
  readonly name: string;
  readonly context: PluginContext;
  readonly faults: PluginFaults;
};

/** Which channels a call is about. */
export type HookPlace = { readonly tenant: TenantId; readonly namespace: string };

/** What it needs is tried every second, too. */
const FAILED: Refusal = {
  ...refuse("unavailable", "it could not be decided: try again"),
  retryAfterMs: 1_000,
};

/**
 * Calls the hooks of one name, one after another, in the turn of the call as long as they answer in it. Whatever they throw, and whatever takes too
 * long, is noted as a fault of the plugin whose it is.
 */
export class HookChain<Call, Answer> {
  readonly #deps: HookDeps;
  readonly #where: string;
  readonly #links: Link<Call, Answer>[] = [];
  /** Those that are for a namespace, for each that is named; and those for all others. */
  readonly #byNamespace = new Map<string, Link<Call, Answer>[]>();
  #forAll: Link<Call, Answer>[] = [];

  constructor(deps: HookDeps, name: HookName) {
    this.#deps = deps;
    this.#where = `hook ${name}`;
  }

  get isEmpty(): boolean {
    return this.#links.length === 0;
  }

  add(owner: HookOwner, hook: Hook<Call, Answer, unknown>, timeLimitMs: number): void {
    const { name, context, faults } = owner;
    const options: HookWithOptions<Call, Answer, unknown> =
      typeof hook === "function" ? { run: hook } : hook;
    this.#links.push({
      ...{ plugin: name, faults },
      run: (call) => options.run(call, context),
      namespaces: options.namespaces && new Set(options.namespaces),
      hook: options,
      timeLimitMs: options.timeLimitMs ?? timeLimitMs,
      onFailure: options.onFailure ?? "refuse",
    });
    this.#sort();
  }

  /** Whether there is one for these channels. Hot: asked for each publication before anything is made for a hook. */
  concerns(tenant: TenantId, namespace: string): boolean {
    for (const link of this.#in(namespace)) if (this.#isFor(link, tenant, namespace)) return true;
    return false;
  }

  /**
   * Why not; undefined: nobody objects. Never throws, never rejects. `take` is given each answer before the next one is asked, and throws a `TypeError` for what is
   * none. Without a place it is about no channel: all are asked.
   */
  decide(
    call: () => Call,
    place?: HookPlace,
    take?: (answer: Answer) => void,
  ): Awaitable<Refusal | undefined> {
    return this.#decideFrom(0, { links: this.#of(place), place, call, take });
  }

  /** Tells all of them, at the same time. */
  tell(call: () => Call, place?: HookPlace): void {
    for (const link of this.#of(place)) {
      if (!this.#isAsked(link, place)) continue;
      try {
        const told = settled(link.run(call()));
        if (told instanceof Promise) {
          inTime(this.#deps.clock, link.timeLimitMs, told).catch((error: unknown) =>
            link.faults.note(this.#where, error),
          );
        }
      } catch (error) {
        link.faults.note(this.#where, error);
      }
    }
  }

  #decideFrom(start: number, asking: Asking<Call, Answer>): Awaitable<Refusal | undefined> {
    const { links, call } = asking;
    for (let i = start; i < links.length; i++) {
      const link = links[i];
      if (link === undefined || !this.#isAsked(link, asking.place)) continue;
      const verdict = this.#ask(link, call, asking.take);
      if (verdict instanceof Promise) {
        return verdict.then((refusal) => refusal ?? this.#decideFrom(i + 1, asking));
      }
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  #ask(
    link: Link<Call, Answer>,
    call: () => Call,
    take: ((answer: Answer) => void) | undefined,
  ): Awaitable<Refusal | undefined> {
    try {
      const answer = settled(link.run(call()));
      if (!(answer instanceof Promise)) {
        take?.(answer);
        return undefined;
      }
      return inTime(this.#deps.clock, link.timeLimitMs, answer)
        .then((value) => {
          take?.(value);
          return undefined;
        })
        .catch((error: unknown) => this.#refusalOf(link, error));
    } catch (error) {
      return this.#refusalOf(link, error);
    }
  }

  #refusalOf(
    { plugin, faults, onFailure }: Link<Call, Answer>,
    error: unknown,
  ): Refusal | undefined {
    const refusal = refusalIn(error);
    if (refusal !== undefined) {
      countPair(this.#deps.counters.pluginEvents, plugin, `refused by ${this.#where}`);
      return refusal;
    }
    // What it needs is away: no fault of its, and as often as it is asked.
    if (isUnavailable(error)) {
      countPair(this.#deps.counters.pluginEvents, plugin, `unavailable in ${this.#where}`);
    } else faults.note(this.#where, error);
    return onFailure === "refuse" ? FAILED : undefined;
  }

  #isAsked(link: Link<Call, Answer>, place: HookPlace | undefined): boolean {
    return place === undefined || this.#isFor(link, place.tenant, place.namespace);
  }

  /** One that cannot say it is asked: who decides must not be passed by. */
  #isFor({ hook, faults }: Link<Call, Answer>, tenant: TenantId, namespace: string): boolean {
    if (hook.concerns === undefined) return true;
    try {
      return hook.concerns(tenant, namespace);
    } catch (error) {
      faults.note(this.#where, error);
      return true;
    }
  }

  #of(place: HookPlace | undefined): readonly Link<Call, Answer>[] {
    return place === undefined ? this.#links : this.#in(place.namespace);
  }

  #in(namespace: string): readonly Link<Call, Answer>[] {
    if (this.#byNamespace.size === 0) return this.#forAll;
    return this.#byNamespace.get(namespace) ?? this.#forAll;
  }

  #sort(): void {
    const named = new Set(this.#links.flatMap(({ namespaces }) => [...(namespaces ?? [])]));
    this.#forAll = this.#links.filter(({ namespaces }) => namespaces === undefined);
    for (const name of named) {
      const links = this.#links.filter(({ namespaces }) => namespaces?.has(name) ?? true);
      this.#byNamespace.set(name, links);
    }
  }
}

type Asking<Call, Answer> = {
  readonly links: readonly Link<Call, Answer>[];
  readonly place: HookPlace | undefined;
  /** Made for each link: what one of them does to it is not what the next one sees. */
  readonly call: () => Call;
  readonly take: ((answer: Answer) => void) | undefined;
};
