import { loadConfig, startGateway } from "@aldis/server";
import {
  createAll,
  defineCollection,
  definePlugin,
  integer,
  json,
  optional,
  type Records,
  text,
  words,
} from "@aldis/server/plugin";
import { BENCH_SECRET } from "../token.ts";

const MESSAGES = defineCollection({
  name: "bench_messages",
  fields: {
    room: text(),
    seq: integer(),
    id: text(),
    userId: text(),
    idempotencyKey: optional(text()),
    sentAtMs: integer(),
    body: json<{ readonly text: string }>(),
    searched: words(),
  },
  key: ["room", "seq"],
  counted: "seq",
  indexes: { once: { fields: ["room", "userId", "idempotencyKey"], unique: true } },
});

/** A message as chat keeps one. */
export type Message = NonNullable<(typeof MESSAGES)["record"]>;

/** A store as a plugin has it, on a gateway without clients. */
export async function openRecords(url: string) {
  const loaded = loadConfig({
    overrides: {
      listen: { port: 0, host: "127.0.0.1" },
      auth: { jwtSecret: BENCH_SECRET },
      log: { level: "warn" },
      store: { url, timeoutMs: 60_000 },
    },
  });
  if (!loaded.ok) throw new Error(`config: ${JSON.stringify(loaded.problems)}`);
  const given = Promise.withResolvers<Records<Message>>();
  const bench = definePlugin({
    name: "bench",
    store: createAll("bench", [MESSAGES]),
    setup: ({ records }) => {
      given.resolve(records(MESSAGES));
      return {};
    },
  });
  const gateway = startGateway({
    config: loaded.config,
    plugins: [bench],
    write: (line) => void process.stderr.write(line),
    onUnfit: given.reject,
  });
  const messages = await given.promise;
  while (!gateway.ready) await Bun.sleep(10);
  return { messages, close: () => gateway.close() };
}
