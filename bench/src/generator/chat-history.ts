import { Database } from "bun:sqlite";
import { Histogram } from "../histogram.ts";
import { type ChatHistoryJob, type ChatHistoryResult, PAGE } from "../scenarios/chat-history.ts";
import { mintTokens } from "../token.ts";
import type { Connection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { keepAwake } from "./keep-awake.ts";
import { type LoadMark, leastDisturbed, loadBetween, markLoad } from "./load.ts";
import { closeAll, openMany } from "./open-many.ts";

/** Readers ask for pages at random places, each one after another. */
const ROOM = "chat:long";
const TEXT = "what somebody said, about as long as people say it, one of very many";
const BUSY_MS = 20_000;
const decoder = new TextDecoder();

export async function runChatHistory(job: ChatHistoryJob): Promise<ChatHistoryResult[]> {
  const tokens = mintTokens(job.readers);
  const readers = await openMany({
    count: job.readers,
    window: job.readers,
    options: (index) => ({
      port: job.port,
      dialect: DIALECTS[job.system],
      token: tokens[index] ?? "",
    }),
  });
  await fill(job, readers[0]);
  const result = await leastDisturbed({
    max: job.attemptsMax,
    serverPid: job.serverPid,
    run: () => measure(job, readers),
    disturbanceOf: ({ othersCpuShare }) => othersCpuShare,
    isFaulty: ({ wrong }) => wrong > 0,
  });
  closeAll(readers);
  return [result];
}

/** One is sent; the others are written beside the gateway, as copies of it. */
async function fill(job: ChatHistoryJob, sender: Connection | undefined): Promise<void> {
  if (sender === undefined || job.storeUrl === undefined)
    throw new Error("nobody to fill the room");
  await ask(sender, "chat", { room: ROOM, text: TEXT });
  const database = new Database(job.storeUrl.replace(/^sqlite:/, ""));
  database.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
  const columns = database
    .query<{ name: string }, []>("SELECT name FROM pragma_table_info('chat_messages')")
    .all()
    .map(({ name }) => `"${name}"`);
  const values = columns.map((name) => (name === '"seq"' ? "n" : name));
  database.run(
    `WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
     INSERT INTO chat_messages (${columns}) SELECT ${values} FROM numbers, chat_messages WHERE "seq" = 1`,
    [job.messages],
  );
  database.close();
}

type Answer = { action: string; data: { messages?: { seq: number }[]; top?: number } };

/** One at a time on a connection. */
function ask(connection: Connection, action: string, data: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    connection.receive(
      {
        onText(payload) {
          const answer = JSON.parse(decoder.decode(payload)) as Answer;
          if (answer.action === action) resolve(answer);
          else if (answer.action === "error") reject(new Error(JSON.stringify(answer)));
        },
        onClosed: (cause) => reject(new Error(`a reader was closed: ${cause}`)),
      },
      { wholeFrames: true },
    );
    connection.send(JSON.stringify({ action, id: 1, data }));
  });
}

type Count = { pages: number; wrong: number };

async function measure(job: ChatHistoryJob, readers: Connection[]): Promise<ChatHistoryResult> {
  const latency = new Histogram();
  const count: Count = { pages: 0, wrong: 0 };
  const state = { isMeasured: false, isOver: false };
  async function read(reader: Connection): Promise<void> {
    while (!state.isOver) {
      const before = PAGE + 1 + Math.floor(Math.random() * (job.messages - PAGE));
      const sentAtMs = performance.now();
      const { data } = await ask(reader, "chat_history", { room: ROOM, before, limit: PAGE });
      if (state.isMeasured) latency.record(performance.now() - sentAtMs);
      count.pages++;
      const { messages = [], top } = data;
      const isRight = messages.length === PAGE && messages[PAGE - 1]?.seq === before - 1;
      if (!isRight || top !== job.messages) count.wrong++;
    }
  }
  const awake = keepAwake();
  const reading = Promise.all(readers.map(read));
  await Bun.sleep(job.warmUpMs);
  const [before, pagesBefore]: [LoadMark, number] = [markLoad(job.serverPid), count.pages];
  state.isMeasured = true;
  await Bun.sleep(job.measureMs);
  state.isMeasured = false;
  const [after, pagesAfter]: [LoadMark, number] = [markLoad(job.serverPid), count.pages];
  state.isOver = true;
  await reading;
  awake.stop();
  return {
    scenario: "chat-history",
    messages: job.messages,
    ...count,
    pagesPerSecond: ((pagesAfter - pagesBefore) / (after.atMs - before.atMs)) * 1000,
    ...loadBetween(before, after),
    latency: latency.dump(),
  };
}
