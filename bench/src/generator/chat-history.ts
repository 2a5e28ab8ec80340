import { Database } from "bun:sqlite";
import { Histogram } from "../histogram.ts";
import {
  type ChatHistoryJob,
  type ChatHistoryResult,
  PAGES,
  type PageName,
} from "../scenarios/chat-history.ts";
import { mintTokens } from "../token.ts";
import type { Connection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { keepAwake } from "./keep-awake.ts";
import { type LoadMark, leastDisturbed, loadBetween, markLoad, whenIdle } from "./load.ts";
import { closeAll, openMany } from "./open-many.ts";

/** Readers ask for pages at random places, each one after another. */
const TEXT = "what somebody said, about as long as people say it, one of very many";
/** What everybody gives to what was said in a room of reactions. */
const EMOJIS = ["👍", "🎉", "😂"];
const BUSY_MS = 20_000;
const PIECE = 20_000;
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
  await fill(job, "pages of 50", readers, []);
  await fill(job, "pages of 50 with reactions", readers, EMOJIS);
  await whenIdle(job.serverPid);
  // Unmeasured: compilers have then seen the code, as in a server that has run for a minute.
  await measure(job, "pages of 50", readers);
  const results: ChatHistoryResult[] = [];
  for (const asked of Object.keys(PAGES) as PageName[]) {
    const result = await leastDisturbed({
      max: job.attemptsMax,
      serverPid: job.serverPid,
      run: () => measure(job, asked, readers),
      disturbanceOf: ({ othersCpuShare }) => othersCpuShare,
      isFaulty: ({ wrong }) => wrong > 0,
    });
    results.push(result);
  }
  closeAll(readers);
  return results;
}

/** One is sent; the others are written beside the gateway, as copies of it. */
async function fill(
  job: ChatHistoryJob,
  asked: PageName,
  readers: readonly Connection[],
  emojis: readonly string[],
): Promise<void> {
  const [sender] = readers;
  if (sender === undefined || job.storeUrl === undefined)
    throw new Error("nobody to fill the room");
  const { room, share } = PAGES[asked];
  await ask(sender, "chat", { room, text: TEXT });
  for (const emoji of emojis) {
    for (const reader of readers) await ask(reader, "chat_react", { room, seq: 1, emoji });
  }
  const database = new Database(job.storeUrl.replace(/^sqlite:/, ""));
  database.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
  const columns = database
    .query<{ name: string }, []>("SELECT name FROM pragma_table_info('chat_messages')")
    .all()
    .map(({ name }) => `"${name}"`);
  const values = columns.map((name) => (name === '"seq"' ? "n" : name));
  const copies = database.query(
    `WITH RECURSIVE numbers(n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)
     INSERT INTO chat_messages (${columns}) SELECT ${values} FROM numbers, chat_messages WHERE "room" = ?3 AND "seq" = 1`,
  );
  const top = job.messages * share;
  // In pieces: the gateway writes, too.
  for (let from = 2; from <= top; from += PIECE) {
    copies.run(from, Math.min(top, from + PIECE - 1), room);
    await Bun.sleep(1);
  }
  // Or the first pages would be read beside the disk's work for it.
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
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

async function measure(
  job: ChatHistoryJob,
  asked: PageName,
  readers: Connection[],
): Promise<ChatHistoryResult> {
  const { room, limit, share } = PAGES[asked];
  const top = job.messages * share;
  const latency = new Histogram();
  const count: Count = { pages: 0, wrong: 0 };
  const state = { isMeasured: false, isOver: false };
  async function read(reader: Connection): Promise<void> {
    while (!state.isOver) {
      const before = limit + 1 + Math.floor(Math.random() * (top - limit));
      const sentAtMs = performance.now();
      const { data } = await ask(reader, "chat_history", { room, before, limit });
      if (state.isMeasured) latency.record(performance.now() - sentAtMs);
      count.pages++;
      const { messages = [] } = data;
      const isRight = messages.length === limit && messages[limit - 1]?.seq === before - 1;
      if (!isRight || data.top !== top) count.wrong++;
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
  const pages = pagesAfter - pagesBefore;
  state.isOver = true;
  await reading;
  awake.stop();
  return {
    scenario: "chat-history",
    asked,
    messages: top,
    ...count,
    pagesPerSecond: (pages / (after.atMs - before.atMs)) * 1000,
    serverCpuUsPerPage: (after.serverNs - before.serverNs) / 1000 / pages,
    ...loadBetween(before, after),
    latency: latency.dump(),
  };
}
