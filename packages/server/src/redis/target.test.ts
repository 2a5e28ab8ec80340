import { describe, expect, test } from "bun:test";
import { parseRedisTarget } from "./target.ts";

function parsed(url: string) {
  const target = parseRedisTarget(url);
  if (!target.ok) throw new Error(target.message);
  return target.value;
}

describe("URLs of Redis", () => {
  test("a single server", () => {
    expect(parsed("redis://cache.example:7000/3")).toEqual({
      kind: "single",
      endpoints: [{ host: "cache.example", port: 7000 }],
      group: "",
      tls: false,
      username: undefined,
      password: undefined,
      database: 3,
      name: "redis://cache.example:7000/3",
    });
    expect(parsed("redis://[::1]").endpoints).toEqual([{ host: "::1", port: 6379 }]);
  });

  test("Sentinel and Cluster name several hosts", () => {
    expect(parsed("redis+sentinel://a:1,b/main/2")).toMatchObject({
      kind: "sentinel",
      endpoints: [
        { host: "a", port: 1 },
        { host: "b", port: 26379 },
      ],
      group: "main",
      database: 2,
    });
    expect(parsed("rediss+cluster://a:1,b:2")).toMatchObject({ kind: "cluster", tls: true });
  });

  test("P7: the password is read, and is not in the name", () => {
    const target = parsed("rediss://ann:p%40ss@host:1");
    expect(target).toMatchObject({ username: "ann", password: "p@ss", tls: true });
    expect(target.name).toBe("rediss://host:1");
  });

  test.each([
    "http://x",
    "redis://",
    "redis://a,b",
    "redis://a:99999",
    "redis://a/x",
    "redis+sentinel://a",
    "redis+cluster://a:1/3",
    "redis://%zz:x@a",
    "redis://secret word@a b",
  ])("refused, without being repeated: %s", (url) => {
    const target = parseRedisTarget(url);
    expect(target.ok).toBe(false);
    if (!target.ok) expect(target.message).not.toContain("secret");
  });
});
