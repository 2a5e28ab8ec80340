import { expect, test } from "bun:test";
import { describeTarget, parsePostgresTarget } from "./target.ts";

function parsed(url: string) {
  const target = parsePostgresTarget(url);
  if (!target.ok) throw new Error(target.message);
  return target.value;
}

test("a URL says where, who, and how the connection is protected", () => {
  expect(parsed("postgres://u:p@h/d")).toEqual({
    ...{ host: "h", port: 5432, user: "u", password: "p", database: "d" },
    ...{ tls: "prefer", caFile: undefined, schema: undefined, prepares: true },
  });
  expect(
    parsed(
      "postgresql://u@[::1]:6432/d?sslmode=verify-full&sslrootcert=/ca.pem&schema=live&prepare=false",
    ),
  ).toEqual({
    ...{ host: "::1", port: 6432, user: "u", password: "", database: "d" },
    ...{ tls: "verify-full", caFile: "/ca.pem", schema: "live", prepares: false },
  });
  expect(parsed("postgres://u@localhost/d?host=/run/postgresql")).toMatchObject({
    host: "/run/postgresql",
  });
  expect(parsed("postgres://a%40b:p%40ss%2Fw%C3%B6rd@h/d")).toMatchObject({
    ...{ user: "a@b", password: "p@ss/wörd" },
  });
});

test("what would not connect, or not as it was meant, is refused without repeating the password", () => {
  for (const rest of [
    "h",
    "h/",
    "h/d?sslmode=on",
    "h/d?sslmode=verify-ca",
    "h/d?ssl=true",
    "h/d?sslrootcert=/ca.pem",
    'h/d?schema=a";DROP',
    "h/d?prepare=no",
    "h:99999/d",
    "h/%",
  ]) {
    const outcome = parsePostgresTarget(`postgres://u:hunter2@${rest}`);
    expect([rest, outcome.ok]).toEqual([rest, false]);
    expect(JSON.stringify(outcome)).not.toContain("hunter2");
  }
  expect(parsePostgresTarget("postgres://h/d").ok).toBe(false);
});

test("whose password has a character that means something in a URL is told how it is written", () => {
  for (const url of ["postgres://u:ge#heim@h/d", "postgres://u:ge/heim@h/d", "postgres://u:p@h"]) {
    const { ok, message } = parsePostgresTarget(url) as { ok: boolean; message: string };
    expect(ok).toBe(false);
    expect(message).toContain("write `@ : / # ? %` of a password as");
    expect(message).not.toContain("heim");
  }
});

test("P7: what is logged has neither user nor password", () => {
  expect(describeTarget(parsed("postgres://me:hunter2@h/d"))).toBe(
    "PostgreSQL, database d at h:5432",
  );
});
