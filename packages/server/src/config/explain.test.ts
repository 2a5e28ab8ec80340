import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileProblems } from "./file-problems.ts";
import { type ConfigSources, explainConfig, loadConfig } from "./load.ts";
import { suggest } from "./suggest.ts";
import { configWarnings } from "./warnings.ts";

const SECRET = "a secret that only tests know, long enough";
const KEY = "a-key-of-a-backend-long-enough";

function load(sources: ConfigSources) {
  const loaded = loadConfig(sources);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

function messages(sources: ConfigSources): Record<string, string> {
  const loaded = loadConfig(sources);
  const problems = loaded.ok ? [] : loaded.problems;
  return Object.fromEntries(problems.map(({ path, message }) => [path, message]));
}

test("each value in force comes with its source", () => {
  const sources: ConfigSources = {
    file: { listen: { host: "127.0.0.1", port: 1 }, namespaces: { chat: { presence: false } } },
    environment: { ALDIS_PORT: "2", ALDIS_LOG_LEVEL: "warn" },
    overrides: { listen: { port: 3, host: undefined } },
  };
  const values = explainConfig(load(sources), sources);
  const of = (path: string) => values.find((value) => value.path === path);
  expect(of("listen.port")).toMatchObject({ value: 3, source: "flag" });
  expect(of("listen.host")).toMatchObject({ value: "127.0.0.1", source: "file" });
  expect(of("log.level")).toMatchObject({ source: "environment", variable: "ALDIS_LOG_LEVEL" });
  expect(of("namespaces.chat.presence")).toMatchObject({ value: false, source: "file" });
  expect(of("namespaces.chat.wildcard")).toMatchObject({ value: false, source: "default" });
  expect(of("outbox.maxBytes")).toMatchObject({ value: 1_048_576, source: "default" });
  expect(of("listen.origins")).toMatchObject({ value: ["self"], source: "default" });
});

test("[P7] no secret is shown, wherever it comes from", () => {
  const pairs: ConfigSources[] = [
    { environment: { ALDIS_JWT_SECRET: SECRET, ALDIS_API_KEY: KEY } },
    { file: { auth: { jwtSecret: [SECRET] }, api: { keys: [{ key: KEY, tenant: "acme" }] } } },
    {
      file: {
        auth: { provider: { kind: "supabase", url: "https://a.supabase.co", jwtSecret: SECRET } },
      },
    },
  ];
  for (const sources of pairs) {
    const values = explainConfig(load(sources), sources);
    expect(JSON.stringify(values)).not.toContain(SECRET);
    expect(JSON.stringify(values)).not.toContain(KEY);
    expect(values.some(({ secret }) => secret)).toBe(true);
  }
  const [, sources = {}] = pairs;
  const tenant = explainConfig(load(sources), sources).find(({ path }) => /tenant$/.test(path));
  expect(tenant).toMatchObject({ path: "api.keys.0.tenant", value: "acme" });
});

test("unknown settings and variables are told with what was probably meant", () => {
  const told = messages({
    file: { listen: { prot: 1 }, namespaces: { chat: { histroy: {} } }, colours: {} },
    environment: { ALDIS_JWT_SECRETT: "x", ALDIS_WHATEVER_ELSE: "1" },
  });
  expect(told).toEqual({
    "listen.prot": "is no setting: did you mean `port`?",
    "namespaces.chat.histroy": "is no setting: did you mean `history`?",
    colours: "is no setting",
    ALDIS_JWT_SECRETT: "is not the name of a setting: did you mean ALDIS_JWT_SECRET?",
    ALDIS_WHATEVER_ELSE: "is not the name of a setting",
  });
  expect(suggest("xy", ["ab"])).toBeUndefined();
});

test("a wrong value of a variable is told with the variable, one of a file without", () => {
  const told = messages({
    file: { outbox: { maxBytes: "x" } },
    environment: { ALDIS_PORT: "x", ALDIS_NAMESPACES: '{"chat":{"presence":1}}' },
  });
  expect(told["listen.port"]).toEndWith("(ALDIS_PORT)");
  expect(told["namespaces.chat.presence"]).toEndWith("(ALDIS_NAMESPACES)");
  expect(told["outbox.maxBytes"]).not.toContain("ALDIS");
});

test("ALDIS_STORE_URL sets store.url, and what is none is refused without repeating it", () => {
  const sources = { environment: { ALDIS_STORE_URL: "sqlite:/var/lib/aldis.db" } };
  expect(load(sources).store.url).toBe("sqlite:/var/lib/aldis.db");
  const shown = explainConfig(load(sources), sources).find(({ path }) => path === "store.url");
  expect(shown).toMatchObject({ value: undefined, secret: true, variable: "ALDIS_STORE_URL" });
  const told = messages({ environment: { ALDIS_STORE_URL: "mysql://root:hunter2@db/x" } });
  expect(told["store.url"]).toContain("sqlite:path");
  expect(told["store.url"]).not.toContain("hunter2");
});

test("with a Redis it is a warning to name no store, or a file", () => {
  const warned = (url?: string) =>
    configWarnings(
      load({ file: { broker: "redis://127.0.0.1", store: { url }, auth: { jwtSecret: SECRET } } }),
    ).filter(({ path }) => path === "store.url");
  expect(warned()[0]?.message).toContain("until all nodes have a common store");
  expect(warned("sqlite:aldis.db")[0]?.message).toContain("on this machine");
  expect(warned("none")).toEqual([]);
  expect(warned("postgres://aldis@db/aldis")).toEqual([]);
});

test("a message of chat that its channel could not publish is a warning", () => {
  const warned = (file: object) =>
    configWarnings(load({ file: { auth: { jwtSecret: SECRET }, ...file } })).map(
      ({ path }) => path,
    );
  const path = "chat.namespaces.chat.messageMaxBytes";
  expect(warned({})).toEqual([]);
  expect(warned({ namespaces: { chat: { messageMaxBytes: 16_384 } } })).toEqual([path]);
  expect(warned({ namespaces: { default: { messageMaxBytes: 20_000 } } })).toEqual([path]);
  expect(warned({ chat: { namespaces: { chat: { messageMaxBytes: 61_440 } } } })).toEqual([]);
  expect(warned({ chat: { namespaces: { chat: { messageMaxBytes: 61_441 } } } })).toEqual([path]);
});

test("contradictions: idleTimeoutMs must be above pingIntervalMs; a slow key set is a warning", () => {
  const heartbeat = { pingIntervalMs: 5_000, idleTimeoutMs: 5_000 };
  expect(messages({ file: { heartbeat } })).toContainKey("heartbeat.idleTimeoutMs");
  const auth = { timeoutMs: 1_000, jwtSecret: SECRET };
  const warnings = configWarnings(load({ file: { auth } }));
  expect(warnings.map(({ path }) => path)).toEqual(["auth.jwks.timeoutMs"]);
});

test("what is hardly meant where nodes share a Redis is told, without its password", () => {
  const store = { url: "none" };
  const warnings = (file: object) =>
    configWarnings(load({ file: { store, ...file } })).map(({ path }) => path);
  expect(warnings({ broker: "redis://127.0.0.1:6379" })).toEqual([]);
  expect(warnings({ broker: "redis://:secret@redis.internal" })).toEqual([]);
  expect(warnings({ broker: "rediss://redis.internal" })).toEqual([]);
  expect(warnings({ broker: "redis+cluster://localhost:1,10.0.0.7:2" })).toEqual(["broker"]);
  expect(warnings({ redis: { caFile: "ca.pem" }, broker: "redis://[::1]" })).toEqual([
    "redis.caFile",
  ]);
  const twice = load({ file: { store, broker: ["redis://:secret@a", "redis://:secret@a"] } });
  expect(configWarnings(twice)).toHaveLength(1);
  expect(JSON.stringify(configWarnings(twice))).not.toContain("secret");
});

test("files that are not there, hold something else, or do not fit each other", async () => {
  const folder = await mkdtemp(join(tmpdir(), "aldis-config-"));
  try {
    const certFile = join(folder, "cert.pem");
    const keyFile = join(folder, "key.pem");
    await Bun.write(certFile, "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n");
    const tls = { certFile, keyFile };
    const provider = {
      kind: "firebase",
      projectId: "some-project",
      checkRevoked: true,
      serviceAccountFile: certFile,
    };
    const redis = { caFile: certFile };
    const problems = fileProblems(load({ file: { listen: { tls }, auth: { provider }, redis } }));
    expect(problems).toEqual([
      { path: "listen.tls.certFile", message: `${certFile} does not hold what it should` },
      { path: "listen.tls.keyFile", message: `${keyFile} is not there` },
      { path: "redis.caFile", message: `${certFile} does not hold what it should` },
      {
        path: "auth.provider.serviceAccountFile",
        message: `${certFile} does not hold what it should`,
      },
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
