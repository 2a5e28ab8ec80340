import { expect, test } from "bun:test";
import { parseStoreTarget, type StoreTarget } from "./target.ts";

test("a store's URL says what kind it is, and where", () => {
  const kinds: readonly (readonly [string, StoreTarget])[] = [
    ["none", { kind: "none" }],
    ["sqlite:aldis.db", { kind: "sqlite", path: "aldis.db" }],
    ["sqlite:./a b/ä.db", { kind: "sqlite", path: "./a b/ä.db" }],
    ["sqlite:/var/lib/aldis.db", { kind: "sqlite", path: "/var/lib/aldis.db" }],
    ["sqlite:///var/lib/aldis.db", { kind: "sqlite", path: "/var/lib/aldis.db" }],
  ];
  for (const [url, target] of kinds) {
    expect(parseStoreTarget(url)).toEqual({ ok: true, value: target });
  }
});

test("a PostgreSQL is where its URL says", () => {
  for (const url of ["postgres://u:p@h/d", "postgresql://u:p@h/d"]) {
    expect(parseStoreTarget(url)).toMatchObject({
      value: { kind: "postgres", target: { host: "h" } },
    });
  }
});

test("a MongoDB is where its URL says, in a database that it names", () => {
  for (const [url, hosts] of [
    ["mongodb://u:p@a:27017,b/aldis?replicaSet=r", "a:27017,b"],
    ["mongodb+srv://cluster.example/aldis", "cluster.example"],
  ] as const) {
    const description = `MongoDB, database aldis at ${hosts}`;
    const target = { url, database: "aldis", description };
    expect(parseStoreTarget(url)).toMatchObject({ value: { kind: "mongodb", target } });
  }
});

test("what is no store is refused, without repeating what may hold a password", () => {
  const bad = ["", "None", "sqlite:", "sqlite://", "mysql://root:hunter2@h/d", "aldis.db"];
  bad.push("mongodb://u:hunter2@h", "mongodb://u:hunter2@h/", "mongodb://u:hunter2@h/a.b");
  bad.push("mongodb://u:hunter2@x@h/aldis", "mongodb://u:hunter2@/aldis");
  bad.push("postgres://u:hunter2@h/", "postgres://u:hunter2@h/d?password=hunter2");
  for (const url of [...bad, "sqlite::memory:", "sqlite:file:x?mode=memory", "sqlite:a\0b"]) {
    const outcome = parseStoreTarget(url);
    expect(outcome.ok).toBe(false);
    expect(JSON.stringify(outcome)).not.toContain("hunter2");
  }
});
