import { expect, test } from "bun:test";
import { eventually, startTcpProxy, type TestGateway } from "@aldis/testkit";
import { type ChatRoom, chat } from "../src/chat.ts";
import { type ClientOptions, createClient } from "../src/index.ts";
import { startDurable } from "./support/durable.ts";
import { through } from "./support/real-clients.ts";

async function chatClient(
  gateway: TestGateway,
  user: string,
  options: Partial<ClientOptions> = {},
) {
  const token = await gateway.token({ sub: user, name: user, capabilities: { "*": ["*"] } });
  const client = createClient({
    ...{ url: gateway.wsUrl, token, backoff: { minMs: 1, maxMs: 20 } },
    ...options,
    use: { chat },
  });
  client.connect();
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

const texts = ({ view }: ChatRoom) => view.messages.map(({ text }) => text);

test("what one says the other sees, with marks, edits, reactions and tombstones", async () => {
  await using gateway = await startDurable();
  using ann = await chatClient(gateway, "ann");
  using bob = await chatClient(gateway, "bob");
  const mine = ann.chat("lobby");
  const theirs = bob.chat("chat:lobby");
  await eventually("both are there", () =>
    [mine, theirs].every(({ view }) => view.state === "live"),
  );
  // Nobody has said anything yet: it is a room all the same (CT4).
  await eventually("it is known", () => theirs.view.state === "live");
  const sent = mine.send("hello");
  expect(mine.view.outgoing).toMatchObject([{ text: "hello", state: "pending" }]);
  const { seq } = await sent;
  expect(mine.view.outgoing).toEqual([]);
  expect(texts(mine)).toEqual(["hello"]);
  await eventually("it is there", () => texts(theirs).length === 1);
  expect(theirs.view.messages[0]).toMatchObject({ seq: 1, from: { id: "ann" }, text: "hello" });
  expect([mine.view.unread, theirs.view.unread]).toEqual([0, 1]);

  await theirs.react(seq, "👍");
  expect(theirs.view.messages[0]?.reactions).toEqual([{ emoji: "👍", count: 1, own: true }]);
  await eventually("the reaction is there", () => mine.view.messages[0]?.reactions?.length === 1);
  expect(mine.view.messages[0]?.reactions).toEqual([{ emoji: "👍", count: 1 }]);

  await mine.edit(seq, { text: "hello!" });
  expect(texts(mine)).toEqual(["hello!"]);
  await eventually("the edit is there", () => texts(theirs)[0] === "hello!");
  expect(theirs.view.messages[0]?.reactions).toEqual([{ emoji: "👍", count: 1, own: true }]);

  theirs.markRead();
  expect(theirs.view.unread).toBe(0);
  await eventually("the receipt is there", () => mine.view.receipts.get("bob")?.read === seq);

  expect([mine.view.state, theirs.view.state]).toEqual(["live", "live"]);
  await eventually("the room is known", () => mine.view.room?.access === "public");
  await mine.delete(seq);
  await eventually("the tombstone is there", () => {
    const [message] = theirs.view.messages;
    return message?.deletedAt !== undefined && message.text === undefined;
  });
});

test("what is said while the network is away is said once, in order, when it is back", async () => {
  await using gateway = await startDurable();
  await using proxy = await startTcpProxy(gateway.gateway.port);
  using ann = await chatClient(gateway, "ann", { url: through(proxy, gateway) });
  using bob = await chatClient(gateway, "bob");
  const mine = ann.chat("lobby");
  const theirs = bob.chat("lobby");
  await mine.send("before");
  proxy.cut();
  const sent = ["one", "two", "three"].map((text) => mine.send(text));
  expect(mine.view.outgoing.map(({ text }) => text)).toEqual(["one", "two", "three"]);
  await theirs.send("from the other side");
  await Promise.all(sent);
  const all = (room: ChatRoom) => room.view.messages.map(({ seq, text }) => [seq, text]);
  await eventually("both have all", () => all(mine).length === 5 && all(theirs).length === 5);
  expect(all(mine)).toEqual(all(theirs));
  expect(all(mine).map(([seq]) => seq)).toEqual([1, 2, 3, 4, 5]);
  expect(texts(mine).filter((text) => text !== "from the other side")).toEqual([
    ...["before", "one", "two", "three"],
  ]);
});

test("older messages come page by page, and a jump shows what stands around", async () => {
  await using gateway = await startDurable();
  using ann = await chatClient(gateway, "ann");
  const writer = ann.chat("lobby");
  for (let n = 1; n <= 180; n++) void writer.send(`message ${n}`);
  await eventually("all are said", () => writer.view.outgoing.length === 0);
  using bob = await chatClient(gateway, "bob");
  const room = bob.chat("lobby");
  await eventually("it is there", () => room.view.state === "live");
  const seqs = () => room.view.messages.map(({ seq }) => seq);
  expect([seqs().at(0), seqs().at(-1), room.view.hasOlder]).toEqual([131, 180, true]);
  await room.loadOlder();
  await room.loadOlder(200);
  expect([seqs().length, seqs().at(0), room.view.hasOlder]).toEqual([180, 1, false]);
  await room.loadAround(60);
  expect(seqs()).toContain(60);
  expect([room.view.hasOlder, room.view.hasNewer]).toEqual([true, true]);
  await writer.send("news");
  while (room.view.hasNewer) await room.loadNewer();
  expect(room.view.messages.at(-1)?.text).toBe("news");
  const found = await room.search("MESSAGE 77");
  expect(found.messages.map(({ seq }) => seq)).toEqual([77]);
});

test("a private room is nothing to those outside, and is there for who is invited", async () => {
  await using gateway = await startDurable();
  using ann = await chatClient(gateway, "ann");
  using bob = await chatClient(gateway, "bob");
  const mine = bob.chat.rooms();
  await eventually("the list is there", () => mine.view.state === "live");
  const { room } = await ann.chat.create({ access: "private", title: "Plans" });
  const outside = bob.chat(room);
  await eventually("it is refused", () => outside.view.state === "ended");
  expect(outside.view.error?.code).toBe("forbidden");
  outside.close();
  await ann.chat(room).send("psst");
  await ann.chat.setMember(room, "bob");
  await eventually("it is in the list", () => mine.view.rooms.length === 1);
  await ann.chat(room).send("now you know");
  await eventually("it counts", () => mine.view.rooms[0]?.last?.text === "now you know");
  expect(mine.view.rooms[0]).toMatchObject({ room, title: "Plans", role: "member", unread: 1 });
  const inside = bob.chat(room);
  await eventually("it opens", () => inside.view.messages.length === 2);
  inside.markRead();
  await eventually("nothing is unread", () => mine.view.unread === 0);
});
