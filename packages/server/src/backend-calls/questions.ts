// Who may subscribe, and what may be published: asked of the tenant's backend, where it wants to be.
import {
  type Awaitable,
  Base64,
  type Identity,
  type Json,
  namespaceOf,
  type PluginSession,
  type PublishChange,
  type Publishing,
  refusal,
  type TenantId,
  Unavailable,
} from "../plugins/index.ts";
import type { Allowed } from "./allowed.ts";
import type { Backend, KnownBackends } from "./known-backends.ts";
import { type Answer, type Line, NoAnswer } from "./line.ts";

export type QuestionsDeps = {
  readonly known: KnownBackends;
  readonly line: Line;
  readonly allowed: Allowed;
  readonly cacheMaxMs: number;
  count(event: string): void;
};

type Verdict =
  | { readonly allow: true; readonly cacheMs: number; readonly change: PublishChange | undefined }
  | { readonly allow: false; readonly message: string };

const MESSAGE_MAX = 200;
const EVENT_MAX = 128;

export class Questions {
  readonly #deps: QuestionsDeps;
  /** Under way: two connections of a user that ask for the same wait for one answer. */
  readonly #asked = new Map<string, Promise<Verdict>>();

  constructor(deps: QuestionsDeps) {
    this.#deps = deps;
  }

  /** BC5. Throws a refusal, or `Unavailable`. */
  subscribing(session: PluginSession, channel: string): Awaitable<void> {
    const { tenant, userId } = session.identity;
    const { known, allowed, count } = this.#deps;
    const backend = known.now(tenant);
    if (backend !== undefined && allowed.has(tenant, userId, `s${channel}`, backend.at)) {
      return count("cached");
    }
    return this.#maySubscribe(session, channel);
  }

  /** BC6. What to publish in its place; throws as {@link subscribing} does. */
  publishing(message: Publishing): Awaitable<PublishChange | undefined> {
    const { tenant, channel, from } = message;
    // A backend publishes: nobody knows better.
    if (from === undefined) return undefined;
    const { known, allowed, count } = this.#deps;
    const backend = known.now(tenant);
    if (backend !== undefined && allowed.has(tenant, from.user, `p${channel}`, backend.at)) {
      count("cached");
      return undefined;
    }
    return this.#mayPublish(message, from);
  }

  async #maySubscribe({ identity, connectionId }: PluginSession, channel: string): Promise<void> {
    const { tenant, userId } = identity;
    const backend = await this.#deps.known.of(tenant);
    if (backend?.subscribes(namespaceOf(channel as never)) !== true) return;
    const key = `${tenant}\0${userId}\0${channel}\0${backend.at}`;
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      const about = { user: userOf(identity), connection: connectionId, channel };
      asked = this.#ask(tenant, backend, { type: "subscribe", about });
      this.#asked.set(key, asked);
      const over = () => void this.#asked.delete(key);
      asked.then(over, over);
    } else this.#deps.count("coalesced");
    await this.#take(asked, { tenant, backend, user: userId, what: `s${channel}` });
  }

  async #mayPublish(
    { tenant, channel, event, data }: Publishing,
    { user, connection }: NonNullable<Publishing["from"]>,
  ): Promise<PublishChange | undefined> {
    const backend = await this.#deps.known.of(tenant);
    if (backend?.publishes(namespaceOf(channel)) !== true) return undefined;
    const payload = data instanceof Base64 ? { base64: data.text } : { data };
    const about = { user: { id: user }, connection, channel, event, ...payload };
    const asked = this.#ask(tenant, backend, { type: "publish", about });
    return await this.#take(asked, { tenant, backend, user, what: `p${channel}` });
  }

  async #ask(
    tenant: TenantId,
    backend: Backend,
    question: { type: "subscribe" | "publish"; about: { [name: string]: Json | undefined } },
  ): Promise<Verdict> {
    const answer = await this.#deps.line.ask(tenant, backend, question);
    const verdict = verdictIn(answer, question.type);
    if (verdict !== undefined) return verdict;
    this.#deps.count("no_answer");
    throw new NoAnswer("the backend gave no answer");
  }

  async #take(
    asked: Promise<Verdict>,
    whose: { tenant: TenantId; backend: Backend; user: string; what: string },
  ): Promise<PublishChange | undefined> {
    const { allowed, cacheMaxMs, count } = this.#deps;
    const { tenant, backend, user, what } = whose;
    let verdict: Verdict;
    try {
      verdict = await asked;
    } catch (error) {
      // What else is thrown is a fault of ours, and allows nothing.
      if (!(error instanceof Unavailable) || backend.settings.onFailure === "refuse") throw error;
      count("passed");
      return undefined;
    }
    count(verdict.allow ? "allowed" : "denied");
    if (!verdict.allow) throw refusal("forbidden", verdict.message);
    const { change, cacheMs } = verdict;
    if (cacheMs > 0 && change === undefined) {
      allowed.add(tenant, user, what, { at: backend.at, forMs: Math.min(cacheMs, cacheMaxMs) });
    }
    return change;
  }
}

/** As a token has said it. */
export function userOf({ userId, name, email, avatar, anonymous }: Identity): {
  readonly [name: string]: Json;
} {
  return {
    id: userId,
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
    ...(avatar !== undefined && { avatar }),
    ...(anonymous && { anonymous }),
  };
}

/** Undefined: it is none. Only `true` allows. */
function verdictIn(answer: Answer, type: "subscribe" | "publish"): Verdict | undefined {
  const { allow, message, cacheMs = 0 } = answer;
  if (allow === false) {
    const told = typeof message === "string" && message !== "" ? message : "not allowed";
    return { allow, message: told.slice(0, MESSAGE_MAX) };
  }
  if (allow !== true || typeof cacheMs !== "number") return undefined;
  const change = type === "publish" ? changeIn(answer) : undefined;
  return change === "none" ? undefined : { allow, cacheMs, change };
}

function changeIn({ event, data }: Answer): PublishChange | undefined | "none" {
  if (event === undefined && data === undefined) return undefined;
  if (event !== undefined) {
    if (typeof event !== "string" || event === "" || event.length > EVENT_MAX) return "none";
  }
  return { ...(event !== undefined && { event }), ...(data !== undefined && { data }) };
}
