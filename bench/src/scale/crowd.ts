import type { Socket } from "bun";
import { Histogram } from "../histogram.ts";
import { Member } from "./member.ts";
import { isUnlucky, roomOf } from "./town.ts";
import type { CrowdPlan, CrowdReport, Tally, Town } from "./wire.ts";

/** Refused or lost attempts are repeated after a random part of this. */
const RETRY_MAX_MS = 1000;

/** One order being carried out: who is still to arrive, and how it went so far. */
class Arrivals {
  readonly delay = new Histogram();
  delayMaxMs = 0;
  refusals = 0;
  resumed = 0;
  recoveredChannels = 0;
  lostChannels = 0;
  readonly expected: number;
  readonly all = Promise.withResolvers<void>();
  readonly #awaited: Set<Member>;

  constructor(members: Member[]) {
    this.#awaited = new Set(members);
    this.expected = members.length;
    if (members.length === 0) this.all.resolve();
  }

  onIn(member: Member): void {
    if (!this.#awaited.delete(member)) return;
    const delayMs = performance.now() - member.leftAtMs;
    this.delay.record(delayMs);
    this.delayMaxMs = Math.max(this.delayMaxMs, delayMs);
    if (this.#awaited.size === 0) this.all.resolve();
  }
}

/** The members of one process, with a window of connections on their way. */
export class Crowd {
  readonly town: Town;
  bytes = 0;
  pushes = 0;
  messages = 0;
  gaps = 0;
  repeats = 0;
  readonly #members: Member[];
  readonly #window: number;
  readonly #closed: Record<string, number> = {};
  #arrivals = new Arrivals([]);
  /** Who is to connect next, and where in it we are. */
  #queue: Member[] = [];
  #next = 0;
  #onTheirWay = 0;

  constructor({ town, first, count, window }: CrowdPlan) {
    this.town = town;
    this.#window = window;
    this.#members = Array.from({ length: count }, (_, at) => new Member(first + at, this));
  }

  /** Has the members below `until` connect; resolves when all of them are in their channels. */
  async open(until: number): Promise<CrowdReport> {
    const newcomers = this.#members.slice(0, until).filter(({ leftAtMs }) => leftAtMs === 0);
    return await this.#letIn(newcomers);
  }

  /** Cuts about one in `every` of the members that are in, and resolves when all of them are back. */
  async storm(every: number, moveBy: number): Promise<CrowdReport> {
    const unlucky = this.#members.filter(
      ({ state, number }) => state === "in" && isUnlucky(number, every),
    );
    const nowMs = performance.now();
    for (const member of unlucky) {
      member.leftAtMs = nowMs;
      member.cut(moveBy);
    }
    return await this.#letIn(unlucky);
  }

  async #letIn(members: Member[]): Promise<CrowdReport> {
    const startedAtMs = performance.now();
    const arrivals = new Arrivals(members);
    this.#arrivals = arrivals;
    this.#queue = members;
    this.#next = 0;
    this.#fillWindow();
    await arrivals.all.promise;
    const { delayMaxMs, refusals, resumed, recoveredChannels, lostChannels } = arrivals;
    return {
      arrived: arrivals.expected,
      elapsedMs: performance.now() - startedAtMs,
      delay: arrivals.delay.dump(),
      ...{ delayMaxMs, refusals, resumed, recoveredChannels, lostChannels },
      tally: this.tally(),
    };
  }

  tally(): Tally {
    const { messages, gaps, repeats, pushes, bytes } = this;
    const connected = this.#members.filter(({ state }) => state === "in");
    const tops = new Map<number, [number, number]>();
    for (const { number, offset } of connected) {
      const room = roomOf(this.town, number);
      const [lowest, highest] = tops.get(room) ?? [offset, offset];
      tops.set(room, [Math.min(lowest, offset), Math.max(highest, offset)]);
    }
    return {
      connected: connected.length,
      closed: { ...this.#closed },
      ...{ messages, gaps, repeats, pushes, bytes },
      tops: [...tops].flatMap(([room, [lowest, highest]]) =>
        highest > 0 ? [[room, lowest, highest] as [number, number, number]] : [],
      ),
    };
  }

  onIn(member: Member): void {
    this.#onTheirWay--;
    this.#arrivals.onIn(member);
    this.#fillWindow();
  }

  onWelcomedBack(isResumed: boolean, channels: number): void {
    if (isResumed) this.#arrivals.resumed++;
    else this.#arrivals.lostChannels += channels;
  }

  onRecovered(isRecovered: boolean): void {
    if (isRecovered) this.#arrivals.recoveredChannels++;
    else this.#arrivals.lostChannels++;
  }

  /** A channel began anew under a member that was in it. */
  onReset(): void {
    this.#count("a channel began anew");
  }

  onError(text: string): void {
    this.#count(text.slice(0, 120));
  }

  /** The upgrade was answered by `status`. */
  onRefused(member: Member, status: string): void {
    this.#count(`upgrade answered ${status}`);
    this.#comeBack(member);
  }

  /** A connection ended by itself: a client comes back. */
  onGone(member: Member, cause: string, { wasIn }: { wasIn: boolean }): void {
    this.#count(wasIn ? cause : `${cause}, before it was in`);
    if (wasIn) {
      member.leftAtMs = performance.now();
      this.#onTheirWay++;
    }
    this.#comeBack(member);
  }

  /** Its place in the window is free for others until then. */
  #comeBack(member: Member): void {
    this.#arrivals.refusals++;
    this.#onTheirWay--;
    this.#fillWindow();
    setTimeout(() => this.#connect(member), Math.random() * RETRY_MAX_MS);
  }

  #count(cause: string): void {
    this.#closed[cause] = (this.#closed[cause] ?? 0) + 1;
  }

  #fillWindow(): void {
    while (this.#onTheirWay < this.#window) {
      const member = this.#queue[this.#next];
      if (member === undefined) return;
      this.#next++;
      this.#connect(member);
    }
  }

  #connect(member: Member): void {
    this.#onTheirWay++;
    if (member.leftAtMs === 0) member.leftAtMs = performance.now();
    const { host, port } = member.node;
    Bun.connect({ hostname: host, port, data: member, socket: handlers }).catch((error: Error) => {
      this.onGone(member, error.message, { wasIn: false });
    });
  }
}

const handlers = {
  binaryType: "uint8array",
  open: (socket: Socket<Member>) => socket.data.onTcpOpen(socket),
  data: (socket: Socket<Member>, chunk: Uint8Array) => socket.data.onTcpData(chunk),
  close: (socket: Socket<Member>) => socket.data.onTcpClose(socket, "the connection was lost"),
  error: (socket: Socket<Member>, error: Error) => socket.data.onTcpClose(socket, error.message),
  // Told by the promise as well.
  connectError() {},
} as const;
