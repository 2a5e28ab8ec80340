import type { Cluster } from "../cluster/cluster.ts";
import { eventually } from "../eventually.ts";
import { Person } from "./person.ts";
import { countRefusal, type Tally } from "./tally.ts";
import { judgeNotifications, judgeRoom } from "./verdict.ts";

/** Between two notifications, and before one that was refused is tried again. */
const PAUSE_MS = 20;
const AGAIN_MS = 100;
/** Messages for each notification, at least, while a crowd is waited for. */
const MESSAGES_EACH = 20;

/** Users who chat and are notified, each on two devices, while things are taken from under them; and what must be true of it in the end. */
export type DurableCrowd = AsyncDisposable & {
  readonly people: readonly Person[];
  readonly acknowledged: { readonly messages: number; readonly notifications: number };
  readonly refused: Tally["refused"];
  readonly opened: number;
  /** Waits until so many more messages are acknowledged, and notifications in proportion. */
  goesOn(messages: number): Promise<void>;
  /** Nobody begins anything new; resolves when all was answered. */
  stop(): Promise<void>;
  /** After {@link stop}: what is not as it was promised, in words. Empty: all is well. */
  verdict(): Promise<string[]>;
};

export type DurableCrowdOptions = {
  readonly cluster: Cluster;
  readonly users: number;
  /** Public rooms, by their channels. */
  readonly rooms: readonly string[];
};

/** Starts one; resolves when everybody is connected and has begun. */
export async function startDurableCrowd(options: DurableCrowdOptions): Promise<DurableCrowd> {
  const { cluster, rooms } = options;
  const tally: Tally = {
    ...{ cluster, rooms, refused: new Map(), said: new Map(), notified: [], winners: new Map() },
    ...{ opened: 0, going: true },
  };
  const users = Array.from({ length: options.users }, (_, n) => `user-${n}`);
  const devices = new Map<string, readonly Person[]>();
  for (const user of users) {
    const token = await cluster.token({ sub: user, name: user, email: `${user}@example.com` });
    const own = ["phone", "desk"].map((device) => new Person(tally, `${user} ${device}`, token));
    devices.set(user, own);
  }
  const people = [...devices.values()].flat();
  await Promise.all(people.map((person) => person.enter()));
  const going = Promise.all([...people.map((person) => person.speak()), notify(tally, users)]);

  return {
    people,
    get acknowledged() {
      return { messages: tally.said.size, notifications: tally.notified.length };
    },
    refused: tally.refused,
    get opened() {
      return tally.opened;
    },
    async goesOn(messages) {
      const said = tally.said.size + messages;
      const notified = tally.notified.length + messages / MESSAGES_EACH;
      const enough = eventually("more to be acknowledged", () => {
        return tally.said.size >= said && tally.notified.length >= notified;
      });
      // Whoever was refused for good has ended, and fails the test.
      await Promise.race([enough, going]);
    },
    async stop() {
      tally.going = false;
      await going;
    },
    async verdict() {
      const ofRooms = await Promise.all(rooms.map((room) => judgeRoom(tally, room, people)));
      return [...ofRooms.flat(), ...(await judgeNotifications(tally, devices))];
    },
    async [Symbol.asyncDispose]() {
      tally.going = false;
      for (const { client } of people) client.close();
      await Promise.allSettled([going]);
    },
  };
}

/** Notifies one user after another, as a backend; every third one is to be kept until the end. */
async function notify(tally: Tally, users: readonly string[]): Promise<void> {
  for (let n = 0; tally.going; n++) {
    const user = users[n % users.length] ?? "";
    const keep = n % 3 === 0;
    const type = keep ? "keep" : "now";
    const order = { user, type, body: `a parcel ${n}`, idempotencyKey: crypto.randomUUID() };
    tally.notified.push({ id: await send(tally, order), user, keep });
    await Bun.sleep(PAUSE_MS);
  }
}

/** Repeats it until it is acknowledged; gives its id. */
async function send(tally: Tally, order: object): Promise<string> {
  for (;;) {
    // The node may die, and there may be none that is ready: no answer is one of the answers.
    const answer = await tally.cluster.call("POST", "/api/notifications", order).catch(() => null);
    if (answer?.status === 200) return answer.body.id;
    if (answer !== null && answer.status < 429) throw new Error(JSON.stringify(answer));
    countRefusal(tally, answer?.body.code ?? "unanswered");
    await Bun.sleep(AGAIN_MS);
  }
}
