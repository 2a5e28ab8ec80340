// A process that appends as fast as it can, and tells each number once the store has acknowledged it.

import { sqliteStore } from "../../../src/store/sqlite/test/fresh-sqlite.ts";
import { LINES, line, PLANS, tenant } from "../../../src/store/test/bench.ts";

const [path = ""] = process.argv.slice(2);
const store = sqliteStore({ path });
await store.open(PLANS);
const lines = store.records(LINES);
const acme = tenant("acme");

async function appendForever(writer: number): Promise<void> {
  for (;;) {
    const { record } = await lines.append(
      acme,
      line({ author: `w${writer}`, body: "x".repeat(300) }),
    );
    process.stdout.write(`${record.n}\n`);
  }
}

await Promise.all(Array.from({ length: 64 }, (_, writer) => appendForever(writer)));
