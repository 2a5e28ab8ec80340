import { isFields } from "@aldis/protocol";
import type { Awaitable } from "../../awaitable.ts";
import { BrokerUnavailable } from "../../broker-unavailable.ts";
import { countOne } from "../../observe/counters.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import type { UserOf } from "../parked-table.ts";
import type { ParkedSession } from "../parking.ts";
import {
  type ChangedSessions,
  createMemorySessionStore,
  isWanted,
  type LiveView,
  type MemorySessionStore,
  type SessionStore,
  type SessionStoreOptions,
  type Wanted,
  type WithdrawFrom,
} from "../session-store.ts";
import { Claim } from "./claim.ts";
import {
  bearerText,
  type Holder,
  holdersOf,
  readRecord,
  turnIn,
  writeRecord,
} from "./session-record.ts";
import { TAKE } from "./session-scripts.ts";
import {
  SessionWriter,
  type SessionWriterDeps,
  type SessionWriterOptions,
} from "./session-writer.ts";

/** What is asked of the other nodes. */
export type SessionPeers = {
  readonly self: string;
  isAlive(node: string): boolean;
  /** Never rejects; not `ok`: no answer came, for whatever cause. */
  request(
    node: string,
    kind: string,
    body: unknown,
  ): Promise<{ readonly ok: true; readonly body: unknown } | { readonly ok: false }>;
  send(node: string, kind: string, body: unknown): void;
  on(kind: string, handler: (body: unknown) => Awaitable<unknown>): void;
};

export type RedisSessionStoreDeps = Omit<SessionWriterDeps, "self" | "live" | "onTaken"> & {
  readonly live: LiveView;
  readonly peers: SessionPeers;
};

/**
 * Asks a node for a session that it has, or is just taking by that `claim`, to go on with it in the `turn`. It answers `{"record"}`, which is "" when it has none, or in a
 * later turn: who asked stood still meanwhile.
 */
const HAND_OVER = "session.handOver";
/** Tells a node that a session which it had parked has gone on elsewhere, in the `turn`. */
const GONE = "session.gone";

/** What the metric calls where a session came from. */
const SOURCES = { handed_over: "handed_over", p: "parked", l: "record", claimed: "record" };

/** What the record said before it was claimed, and the turn of the claim. */
type Taken = { readonly holders: readonly Holder[]; readonly text: string; readonly turn: number };

/**
 * Sessions of a cluster. Each has a record in Redis, owned by one node: the one that it is connected to, or was. Whoever resumes it makes the record its own in one
 * step, and asks the former owner, if that lives, for the session as it stands; the record is what is left when it does not answer.
 */
export class RedisSessionStore implements SessionStore {
  readonly #deps: RedisSessionStoreDeps;
  readonly #writer: SessionWriter;
  readonly #here: MemorySessionStore;
  readonly #claims = new Map<string, Claim>();
  readonly #keepsAny: boolean;
  #latestClaim = 0;

  constructor(deps: RedisSessionStoreDeps, options: SessionStoreOptions & SessionWriterOptions) {
    const { peers } = deps;
    this.#deps = deps;
    this.#keepsAny = options.resumeMs > 0 && options.parkedMax > 0;
    const onTaken = (id: string) => this.#onTaken(id);
    this.#writer = new SessionWriter({ ...deps, self: peers.self, onTaken }, options);
    const onGivenUp = (id: string) => this.#writer.tell(id, { as: "over" });
    this.#here = createMemorySessionStore({ ...deps, onGivenUp }, options);
    peers.on(HAND_OVER, (body) => this.#onHandOver(body));
    peers.on(GONE, (body) => this.#onGone(body));
  }

  get size(): number {
    return this.#here.size;
  }

  note: SessionStore["note"] = (session, change) => {
    if (this.#keepsAny) this.#writer.note(session, change);
  };

  park(id: string, session: ParkedSession): void {
    if (!this.#keepsAny) return;
    this.#here.park(id, session);
    this.#writer.tell(id, { as: "parked", session });
  }

  withdraw(whose: WithdrawFrom): ChangedSessions {
    return this.#retell(this.#here.withdraw(whose));
  }

  requireToken(whose: UserOf): ChangedSessions {
    return this.#retell(this.#here.requireToken(whose));
  }

  #retell(changed: ChangedSessions): ChangedSessions {
    for (const [id, session] of changed) this.#writer.tell(id, { as: "parked", session });
    return changed;
  }

  end(id: string): void {
    this.#here.end(id);
    if (this.#keepsAny) this.#writer.tell(id, { as: "over" });
  }

  endAll(tenant: TenantId): void {
    for (const id of this.#here.endAll(tenant)) this.#writer.tell(id, { as: "over" });
  }

  async take(id: string, wanted: Wanted): Promise<ParkedSession | undefined> {
    await restOfInput();
    if (wanted.isGone?.() === true) return undefined;
    return await this.#take(id, wanted);
  }

  #take(id: string, wanted: Wanted): Promise<ParkedSession | undefined> {
    const wants = (session: ParkedSession) => isWanted(session, wanted);
    const earlier = this.#claims.get(id);
    if (earlier !== undefined) return earlier.follow(wants);
    const claim = new Claim(String(++this.#latestClaim));
    this.#claims.set(id, claim);
    return claim.settle(
      this.#obtain(id, wanted, claim).finally(() => {
        this.#claims.delete(id);
      }),
    );
  }

  /** Redis has lost what it held, or the others took this node for dead: what is here is told again, or found to be others' by now. */
  lookAtAll(): void {
    if (this.#keepsAny) this.#writer.lookAtAll();
  }

  async close(): Promise<void> {
    this.#here.close();
    await this.#writer.close();
  }

  async #obtain(id: string, wanted: Wanted, claim: Claim): Promise<ParkedSession | undefined> {
    let taken: Taken | undefined;
    try {
      await this.#writer.settle(id);
      taken = await this.#takeRecord(id, wanted, claim);
    } catch (error) {
      // It may have been claimed, or be claimed when Redis comes to it: nobody would have it then.
      this.#writer.tell(id, { as: "unclaimed" });
      // Without Redis a session still goes on where it was.
      const here = this.#here.take(id, wanted);
      if (here === undefined && error instanceof BrokerUnavailable) throw error;
      return here;
    }
    // It may not have been written yet, or be too large to be.
    if (taken === undefined) return this.#here.take(id, wanted);
    // It was said too late, and would be written over the claim.
    this.#writer.forget(id);
    const former = await this.#sessionOf(id, taken);
    const session = former && inNextTurn(former, taken);
    this.#writer.tell(id, session === undefined ? { as: "over" } : { as: "taken", session });
    return session;
  }

  async #takeRecord(
    id: string,
    { bearer, nowMs }: Wanted,
    claim: Claim,
  ): Promise<Taken | undefined> {
    const { shard, keys } = this.#deps.shards.place(id);
    const who = bearer === undefined ? "" : bearerText(bearer);
    const args = [this.#deps.peers.self, who, nowMs, this.#writer.liveTtlMs, claim.name];
    const answer = await shard.run(TAKE, [keys.key("session", id)], args);
    if (!Array.isArray(answer)) return undefined;
    const [owner, state, text]: unknown[] = answer;
    if (typeof owner !== "string" || typeof text !== "string") return undefined;
    return { holders: holdersOf(owner, String(state)), text, turn: turnIn(text) + 1 };
  }

  /** From the node that has it, or from its record. */
  async #sessionOf(id: string, { holders, text, turn }: Taken): Promise<ParkedSession | undefined> {
    const { self } = this.#deps.peers;
    // What is here of another node's session is stale, and ends.
    const here = this.#here.take(id, "anyway");
    for (const holder of holders) {
      if (holder.node === self && here !== undefined) return here;
      const found = await this.#askHolder({ id, turn }, holder);
      if (found === "none") continue;
      if (found === "record") return this.#bringIn(holder.state, text);
      return this.#bringIn("handed_over", found);
    }
    return undefined;
  }

  /** The session as it stands there; "record": its record says all that can be known; "none": it is not there. */
  async #askHolder(
    asked: { readonly id: string; readonly turn: number },
    { node, state, claim }: Holder,
  ): Promise<string> {
    const { peers } = this.#deps;
    if (node === peers.self) return state === "p" ? "record" : "none";
    const unknown = state === "claimed" ? "none" : "record";
    if (!peers.isAlive(node)) return unknown;
    if (state === "p") {
      peers.send(node, GONE, asked);
      return "record";
    }
    const answer = await peers.request(node, HAND_OVER, { ...asked, claim });
    const record = answer.ok ? recordOf(answer.body) : undefined;
    if (record === "") return "none";
    return record ?? unknown;
  }

  #bringIn(source: Holder["state"] | "handed_over", text: string): ParkedSession | undefined {
    countOne(this.#deps.counters.sessionsBroughtIn, SOURCES[source]);
    return readRecord(text);
  }

  /** Another node has made the record its own, and wants the session as it stands. */
  async #onHandOver(body: unknown): Promise<unknown> {
    const id = idOf(body);
    if (id === undefined) return undefined;
    if (this.#isPast(id, body)) return { record: "" };
    this.#writer.forget(id);
    // The claim that theirs came after is to have the session; a later one waits for them, and must not be waited for.
    const claim = this.#claims.get(id);
    const isTheirs = claim !== undefined && isFields(body) && claim.name === body["claim"];
    const session = isTheirs ? await claim.follow(() => true) : this.#here.take(id, "anyway");
    if (session === undefined) return { record: "" };
    this.#deps.counters.sessionsHandedOver++;
    return { record: writeRecord(this.#deps.peers.self, "p", session) };
  }

  /** A session that is here is another node's: this one slept, and its connection is stale, or it was without Redis, and did not know when it was resumed here. */
  #onTaken(id: string): void {
    if (this.#claims.has(id)) return;
    if (this.#here.letGo(id)) this.#deps.counters.sessionsStale++;
  }

  /** What is asked was true before the session came to this node. */
  #isPast(id: string, body: unknown): boolean {
    const turn = isFields(body) ? body["turn"] : undefined;
    return typeof turn === "number" && this.#here.turnOf(id) >= turn;
  }

  #onGone(body: unknown): void {
    const id = idOf(body);
    if (id === undefined || this.#isPast(id, body)) return;
    this.#writer.forget(id);
    if (!this.#claims.has(id)) this.#here.letGo(id);
  }
}

/** The claim's turn; later, where what was claimed had been resumed beside its record. */
function inNextTurn(session: ParkedSession, { turn }: Taken): ParkedSession {
  return { ...session, turn: Math.max((session.turn ?? 0) + 1, turn) };
}

/**
 * Done when what lay in the sockets of this node is read. After it stood still that is what clients said long ago, and right behind it that they have gone, and may be elsewhere
 * by now. The end of a connection may be read in the turn after its last words.
 */
async function restOfInput(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((done) => setImmediate(done));
}

function idOf(body: unknown): string | undefined {
  const id = isFields(body) ? body["id"] : undefined;
  return typeof id === "string" ? id : undefined;
}

/** "": it has none. Undefined: it could not say it. */
function recordOf(body: unknown): string | undefined {
  const record = isFields(body) ? body["record"] : undefined;
  return typeof record === "string" ? record : undefined;
}
