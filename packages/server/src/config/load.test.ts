import { describe, expect, test } from "bun:test";
import { environmentNames } from "./environment.ts";
import { type ConfigSources, loadConfig } from "./load.ts";
import { type Config, configSchema } from "./schema.ts";

const SECRET = "a secret that only tests know, long enough";

function load(sources: ConfigSources): Config {
  const loaded = loadConfig(sources);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

function problems(sources: ConfigSources): string[] {
  const loaded = loadConfig(sources);
  return loaded.ok ? [] : loaded.problems.map(({ path }) => path).sort();
}

const fromEnvironment = (environment: Record<string, string>) => load({ environment });

describe("config: sources", () => {
  test("nothing at all gives the defaults", () => {
    const config = load({});
    expect(config.listen).toMatchObject({ port: 8965, host: "0.0.0.0", origins: ["self"] });
    expect(config.namespaces).toEqual({});
    expect(config.api.keys).toEqual([]);
  });

  test("defaults < file < environment < overrides, setting by setting", () => {
    const file = { listen: { port: 1, host: "file", frameMaxBytes: 11 }, log: { level: "warn" } };
    const environment = { ALDIS_LISTEN_PORT: "2", ALDIS_LISTEN_HOST: "env" };
    const overrides = { listen: { port: 3 } };
    const { listen, log } = load({ file, environment, overrides });
    expect(listen).toMatchObject({
      port: 3,
      host: "env",
      frameMaxBytes: 11,
      bodyMaxBytes: 1_048_576,
    });
    expect(log.level).toBe("warn");
  });

  test("lists are replaced, not merged", () => {
    const file = { listen: { origins: ["https://a.b", "https://c.d"] } };
    expect(load({ file, environment: { ALDIS_LISTEN_ORIGINS: "self" } }).listen.origins).toEqual([
      "self",
    ]);
  });

  test("namespaces are merged by name", () => {
    const file = { namespaces: { chat: { presence: false, wildcard: true }, news: {} } };
    const overrides = { namespaces: { chat: { presence: true } } };
    const { namespaces } = load({ file, overrides });
    expect(Object.keys(namespaces).sort()).toEqual(["chat", "news"]);
    expect(namespaces["chat"]).toMatchObject({ presence: true, wildcard: true });
  });

  test("the sources are left as they were", () => {
    const file = { listen: { port: 1 } };
    const overrides = { listen: { port: 2 } };
    load({ file, overrides });
    expect([file, overrides]).toEqual([{ listen: { port: 1 } }, { listen: { port: 2 } }]);
    expect(Object.isFrozen(file.listen)).toBe(false);
  });

  test("what comes out is frozen, all the way down", () => {
    const config = load({ file: { namespaces: { chat: { allow: { publish: ["user"] } } } } });
    const seen: unknown[] = [];
    const walk = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      seen.push(value);
      expect(Object.isFrozen(value)).toBe(true);
      for (const child of Object.values(value)) walk(child);
    };
    walk(config);
    expect(seen.length).toBeGreaterThan(20);
    expect(() => Object.assign(config.listen, { port: 1 })).toThrow();
  });

  test("two loads share nothing", () => {
    const [first, second] = [load({}), load({})];
    expect(first).not.toBe(second);
    expect(first.listen).not.toBe(second.listen);
  });
});

describe("config: environment", () => {
  test("every setting has its derived name", () => {
    const names = environmentNames(configSchema);
    for (const [name, path] of [
      ["ALDIS_LISTEN_PORT", "listen.port"],
      ["ALDIS_LISTEN_FRAME_MAX_BYTES", "listen.frameMaxBytes"],
      ["ALDIS_LISTEN_TLS_CERT_FILE", "listen.tls.certFile"],
      ["ALDIS_AUTH_REFRESH_BEFORE_MS", "auth.refreshBeforeMs"],
      ["ALDIS_AUTH_JWT_SECRET", "auth.jwtSecret"],
      ["ALDIS_AUTH_JWKS_URL", "auth.jwks.url"],
      ["ALDIS_LIMITS_SUBSCRIPTIONS_PER_CONNECTION", "limits.subscriptionsPerConnection"],
      ["ALDIS_LOG_LEVEL", "log.level"],
      ["ALDIS_NAMESPACES", "namespaces"],
      ["ALDIS_PORT", "listen.port"],
      ["ALDIS_HOST", "listen.host"],
      ["ALDIS_JWT_SECRET", "auth.jwtSecret"],
      ["ALDIS_API_KEY", "api.keys"],
    ] as const) {
      expect(names.get(name)?.path.join(".")).toBe(path);
    }
  });

  test("the short names set what they stand for", () => {
    const config = fromEnvironment({
      ALDIS_PORT: "4000",
      ALDIS_HOST: "127.0.0.1",
      ALDIS_JWT_SECRET: SECRET,
      ALDIS_API_KEY: "key-of-sixteen-or-more, another-key-of-sixteen",
    });
    expect(config.listen).toMatchObject({ port: 4000, host: "127.0.0.1" });
    expect(config.auth.jwtSecret).toEqual(SECRET);
    expect(config.api.keys).toEqual([
      { key: "key-of-sixteen-or-more", tenant: "default", scopes: ["*", "cluster"] },
      { key: "another-key-of-sixteen", tenant: "default", scopes: ["*", "cluster"] },
    ]);
  });

  test("values are read as what the setting is", () => {
    const config = fromEnvironment({
      ALDIS_LISTEN_COMPRESSION: "true",
      ALDIS_LISTEN_ORIGINS: "https://a.b, self",
      ALDIS_LOG_LEVEL: "debug",
      ALDIS_OUTBOX_MAX_BYTES: "123",
      ALDIS_NAMESPACES: '{"chat":{"wildcard":true}}',
      ALDIS_API_KEYS: '[{"key":"key-of-sixteen-or-more","tenant":"acme"}]',
      ALDIS_AUTH_ISSUER: "https://issuer",
    });
    expect(config.listen).toMatchObject({ compression: true, origins: ["https://a.b", "self"] });
    expect(config.log.level).toBe("debug");
    expect(config.outbox.maxBytes).toBe(123);
    expect(config.namespaces["chat"]?.wildcard).toBe(true);
    expect(config.api.keys).toEqual([
      { key: "key-of-sixteen-or-more", tenant: "acme", scopes: ["*"] },
    ]);
    expect(config.auth.issuer).toBe("https://issuer");
  });

  test.each(["{not json, but a secret that is long enough", "[another secret that is long enough"])(
    "a secret that looks like JSON and is none stays text: %p",
    (secret) => {
      expect(fromEnvironment({ ALDIS_JWT_SECRET: secret }).auth.jwtSecret).toBe(secret);
    },
  );

  test("what Kubernetes sets for a service named `aldis` is nobody's setting and no error", () => {
    const config = fromEnvironment({
      ALDIS_SERVICE_HOST: "10.0.0.1",
      ALDIS_SERVICE_PORT: "8965",
      ALDIS_SERVICE_PORT_HTTP: "8965",
      ALDIS_PORT: "tcp://10.0.0.1:8965",
      ALDIS_PORT_8965_TCP: "tcp://10.0.0.1:8965",
      ALDIS_PORT_8965_TCP_ADDR: "10.0.0.1",
      ALDIS_PORT_8965_TCP_PORT: "8965",
      ALDIS_PORT_8965_TCP_PROTO: "tcp",
    });
    expect(config.listen).toMatchObject({ port: 8965, host: "0.0.0.0" });
  });

  test("other programs' variables, and the name of the file, are not looked at", () => {
    const environment = { PATH: "/bin", aldis_port: "x", XALDIS_PORT: "x", ALDIS_CONFIG: "a.json" };
    expect(problems({ environment })).toEqual([]);
  });

  test("a name that is no setting is refused, by its name and without its value", () => {
    const environment = { ALDIS_JWT_SECRETT: "hush", ALDIS_LISTEN_POORT: "1" };
    expect(problems({ environment })).toEqual(["ALDIS_JWT_SECRETT", "ALDIS_LISTEN_POORT"]);
    expect(JSON.stringify(loadConfig({ environment }))).not.toContain("hush");
  });

  test.each(["__proto__", "ALDIS___PROTO__", "ALDIS_CONSTRUCTOR"])(
    "the name %p sets nothing",
    (name) => {
      const environment = Object.fromEntries([[name, "1"]]);
      expect(problems({ environment })).toEqual(name === "__proto__" ? [] : [name]);
    },
  );
});

describe("config: problems", () => {
  test("all come at once, each with its place", () => {
    const file = {
      listen: { port: 99_999, hoost: "x" },
      outbox: { maxBytes: "many" },
      namespaces: { chat: { allow: { publish: ["everybody"] } }, "bad name": {} },
    };
    const environment = { ALDIS_LOG_LEVEL: "loud", ALDIS_NOTHING: "1" };
    expect(problems({ file, environment })).toEqual([
      "ALDIS_NOTHING",
      "listen.hoost",
      "listen.port",
      "log.level",
      "namespaces.bad name",
      "namespaces.chat.allow.publish.0",
      "outbox.maxBytes",
    ]);
  });

  test.each<[string, unknown]>([
    ["a text", "x"],
    ["a list", []],
    ["null", null],
    ["a number", 7],
  ])("a file that is %s is refused", (_, file) => {
    expect(loadConfig({ file }).ok).toBe(file === null);
  });

  test.each(["1.5", "-1", "65536", "abc", "", "0x10", "1e9", "null", "true"])(
    "the port %p is refused",
    (port) => {
      expect(problems({ environment: { ALDIS_LISTEN_PORT: port } })).toEqual(["listen.port"]);
    },
  );

  test("secrets never stand in a problem", () => {
    const hush = "hush";
    const loaded = loadConfig({
      file: { auth: { jwtSecret: hush }, api: { keys: [{ key: hush }] } },
      environment: { ALDIS_API_KEY: `${hush},${hush}` },
    });
    expect(loaded.ok).toBe(false);
    expect(JSON.stringify(loaded)).not.toContain(hush);
  });

  test("listen.origins: what is no origin is a problem of the config, not of the start", () => {
    expect(problems({ file: { listen: { origins: ["self", "app.example.com"] } } })).toEqual([
      "listen.origins.1",
    ]);
  });

  test.each(["user:{userId}", "inbox:{userId}:*", "anonymous", "user", "subscriber"])(
    "the allow rule %p is one",
    (rule) => {
      const file = { namespaces: { chat: { allow: { subscribe: [rule] } } } };
      expect(problems({ file })).toEqual([]);
    },
  );

  test.each([
    "",
    "*",
    "everyone",
    "chat:*",
    "user:{userId}:{userId}",
    "user:{userid}",
    "user:{userId}*",
    "user:x{userId}",
    "x".repeat(300),
  ])("the allow rule %p is none", (rule) => {
    const file = { namespaces: { chat: { allow: { subscribe: [rule] } } } };
    expect(problems({ file })).toContain("namespaces.chat.allow.subscribe.0");
  });
});

describe("faults 25: config: names that every object has", () => {
  const polluted = JSON.parse(
    '{"__proto__":{"polluted":true},"listen":{"__proto__":{"port":1},"constructor":{"prototype":{"polluted":true}}}}',
  ) as unknown;

  test.each<[string, ConfigSources]>([
    ["file", { file: polluted }],
    ["overrides", { overrides: polluted }],
    ["both", { file: polluted, overrides: polluted }],
  ])("in the %s are refused, and change no other object", (_, sources) => {
    expect(loadConfig(sources).ok).toBe(false);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(load({}).listen.port).toBe(8965);
  });

  test("a namespace may be called so, and is then one like others", () => {
    const file = JSON.parse('{"namespaces":{"__proto__":{"wildcard":true},"chat":{}}}') as unknown;
    const loaded = loadConfig({ file, overrides: file });
    expect(({} as Record<string, unknown>)["wildcard"]).toBeUndefined();
    if (loaded.ok) {
      expect(Object.getPrototypeOf(loaded.config.namespaces)).toBe(Object.prototype);
      expect(loaded.config.namespaces["chat"]?.wildcard).toBe(false);
    }
  });

  test("trusted proxies are addresses and ranges, each problem with its place", () => {
    const ok = { trustedProxies: ["10.0.0.0/8", "::1"] };
    expect(load({ file: { listen: ok } }).listen.trustedProxies).toEqual(["10.0.0.0/8", "::1"]);
    const listed = fromEnvironment({ ALDIS_LISTEN_TRUSTED_PROXIES: "10.0.0.0/8, fd00::/8" });
    expect(listed.listen.trustedProxies).toEqual(["10.0.0.0/8", "fd00::/8"]);
    const trustedProxies = ["10.0.0.0/8", "proxy.internal", "0.0.0.0/0"];
    expect(problems({ file: { listen: { trustedProxies } } })).toEqual([
      "listen.trustedProxies.1",
      "listen.trustedProxies.2",
    ]);
  });
});

describe("ALDIS_REDIS_URL", () => {
  test.each<[string, string | string[]]>([
    ["redis://a:1", "redis://a:1"],
    ["redis://a:1, rediss://b:2", ["redis://a:1", "rediss://b:2"]],
    ["redis+sentinel://a:1,b:2/main", "redis+sentinel://a:1,b:2/main"],
    [
      "redis+cluster://a:1,b:2,redis+sentinel://c:3,d:4/main/1,redis://e",
      ["redis+cluster://a:1,b:2", "redis+sentinel://c:3,d:4/main/1", "redis://e"],
    ],
    ['["redis://a", "redis://b"]', ["redis://a", "redis://b"]],
    ["memory", "memory"],
  ])("%s", (text, broker) => {
    expect(fromEnvironment({ ALDIS_REDIS_URL: text }).broker).toEqual(broker);
  });
});
