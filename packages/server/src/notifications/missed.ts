// What goes wrong between the nodes: whoever is connected gets what was committed all the same, a moment later.
import type { Clock, PluginNodes, TenantId } from "../plugins/index.ts";

/** Whom to look up in the store: these users, or all who are connected. Only what was sent after `sinceMs`. */
export type LookRequest = {
  readonly sinceMs: number;
  readonly users: readonly (readonly [tenant: string, user: string])[] | "all";
};

export type MissedDeps = {
  readonly clock: Clock;
  readonly nodes: PluginNodes;
  /** On this node. */
  look(request: LookRequest): void;
  count(event: string, by?: number): void;
};

export const LOOK = "look";
/** More than so many of a node are told as all. */
const USERS_MAX = 1_000;
/** Nodes that went and may come back, having been cut off. */
const GONE_MAX = 100;
/** Clocks of nodes differ, and a node is missed some time after it is gone. */
const MARGIN_MS = 60_000;

type Note = { sinceMs: number; users: Map<string, readonly [TenantId, string]> | "all" };

/**
 * A push between nodes may be lost; the record is not. Three things are noticed, and lead to a look into the store by the node that has the
 * connections: a node did not say whether it took a push; a node is gone, and may have committed something that it told nobody; a node that was
 * gone for us is back, and was not told meanwhile. Who is looked up may be pushed again what they have (NT4).
 */
export class Missed {
  readonly #deps: MissedDeps;
  readonly #notes = new Map<string, Note>();
  /** Since when. */
  readonly #gone = new Map<string, number>();
  #others: ReadonlySet<string>;

  constructor(deps: MissedDeps) {
    this.#deps = deps;
    this.#others = new Set(deps.nodes.others);
  }

  /** `node` did not answer for these users. */
  note(node: string, tenant: TenantId, users: readonly string[], sinceMs: number): void {
    const note = this.#noteOf(node, sinceMs);
    if (note.users === "all") return;
    for (const user of users) note.users.set(`${tenant}/${user}`, [tenant, user]);
    if (note.users.size > USERS_MAX) note.users = "all";
  }

  noteAll(node: string, sinceMs: number): void {
    this.#noteOf(node, sinceMs).users = "all";
  }

  #noteOf(node: string, sinceMs: number): Note {
    let note = this.#notes.get(node);
    if (note === undefined) {
      note = { sinceMs, users: new Map() };
      this.#notes.set(node, note);
      this.#deps.count("push_missed");
    }
    note.sinceMs = Math.min(note.sinceMs, sinceMs);
    return note;
  }

  /** Called every second or so. */
  async round(): Promise<void> {
    this.#watch();
    await Promise.all([...this.#notes].map(([node, note]) => this.#tell(node, note)));
  }

  /** Tells a node what it has missed. What it does not answer, it is told again. */
  async #tell(node: string, note: Note): Promise<void> {
    this.#notes.delete(node);
    if (!this.#others.has(node)) {
      // Whose connections are gone: they connect anew. But it may be us who do not see it.
      this.#noteGone(node, note.sinceMs);
      return;
    }
    const { sinceMs, users } = note;
    const request: LookRequest = {
      sinceMs: sinceMs - MARGIN_MS,
      users: users === "all" ? users : [...users.values()],
    };
    const answer = await this.#deps.nodes.ask(node, LOOK, request);
    if (answer.ok) return;
    if (users === "all") this.noteAll(node, sinceMs);
    else for (const [tenant, user] of users.values()) this.note(node, tenant, [user], sinceMs);
  }

  #watch(): void {
    const { nodes, clock, look } = this.#deps;
    const others = new Set(nodes.others);
    const now = clock.nowMs();
    let lost = false;
    for (const node of this.#others) {
      if (others.has(node)) continue;
      lost = true;
      this.#noteGone(node, now);
    }
    for (const node of others) {
      const sinceMs = this.#gone.get(node);
      if (sinceMs === undefined) continue;
      this.#gone.delete(node);
      this.noteAll(node, sinceMs);
    }
    this.#others = others;
    if (lost) look({ sinceMs: now - MARGIN_MS, users: "all" });
  }

  #noteGone(node: string, sinceMs: number): void {
    const [oldest] = this.#gone.keys();
    if (this.#gone.size >= GONE_MAX && oldest !== undefined) this.#gone.delete(oldest);
    this.#gone.set(node, Math.min(sinceMs, this.#gone.get(node) ?? sinceMs));
  }
}

/** What another node asks for; undefined: nothing that can be read. */
export function readLookRequest(body: unknown): LookRequest | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const sinceMs: unknown = Reflect.get(body, "sinceMs");
  const users: unknown = Reflect.get(body, "users");
  if (typeof sinceMs !== "number") return undefined;
  if (users === "all") return { sinceMs, users };
  if (!Array.isArray(users) || users.length > USERS_MAX) return undefined;
  const pairs = users.filter(isPair);
  return pairs.length === users.length ? { sinceMs, users: pairs } : undefined;
}

function isPair(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((v) => typeof v === "string");
}
