import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createOwnSecret } from "../secrets/shared-secret.ts";
import { createSessionSecrets } from "./session-secrets.ts";

function only(byte: number) {
  return createOwnSecret(new Uint8Array(32).fill(byte)).keysFor("sessions");
}

const secrets = createSessionSecrets(only(1));
const credential = secrets.credential("session-1");
const secret = credential.slice("session-1.".length);

describe("[SE1] [SE2] session secrets", () => {
  test("a credential opens its own session", () => {
    expect(secrets.verify(credential)).toBe("session-1");
    expect(secret.length).toBe(43);
  });

  test.each([
    ["nothing", ""],
    ["the id alone", "session-1"],
    ["the id and a dot", "session-1."],
    ["the secret alone", secret],
    ["no id", `.${secret}`],
    ["a secret cut by one", credential.slice(0, -1)],
    ["a secret cut by half", credential.slice(0, -20)],
    ["a longer secret", `${credential}AAAA`],
    ["another session's id", `session-2.${secret}`],
    ["another session's secret", `session-1.${secrets.credential("session-2").split(".")[1]}`],
    ["two dots", `session-1..${secret}`],
    ["a secret of nothing", `session-1.${"A".repeat(43)}`],
    ["an id in other letters", credential.toUpperCase()],
    ["a long text", "x".repeat(100_000)],
    ["no text of base64", "session-1.\u0000\ud800"],
  ])("faults 20: %s opens nothing", (_, given) => {
    expect(secrets.verify(given)).toBeUndefined();
  });

  test("another gateway's key opens nothing", () => {
    const other = createSessionSecrets(only(2));
    expect(other.verify(credential)).toBeUndefined();
    expect(secrets.verify(other.credential("session-1"))).toBeUndefined();
  });

  test("any character of the secret changed opens nothing", () => {
    for (let i = 0; i < 42; i++) {
      const changed = `${secret.slice(0, i)}${secret[i] === "A" ? "B" : "A"}${secret.slice(i + 1)}`;
      expect(secrets.verify(`session-1.${changed}`)).toBeUndefined();
    }
  });

  test("any text but a credential opens nothing, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(secrets.verify(text)).toBeUndefined();
        expect(secrets.verify(`session-1.${text}`)).toBeUndefined();
      }),
    );
  });
});

test("a key that OpenSSL refused somewhere else harms no session", async () => {
  const coordinate = "A".repeat(43);
  const offCurve = { kty: "EC", crv: "P-256", x: coordinate, y: coordinate };
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const imported = crypto.subtle.importKey("jwk", offCurve, algorithm, true, ["verify"]);
  expect((await Promise.allSettled([imported]))[0]?.status).toBe("rejected");
  const secrets = createSessionSecrets(only(0));
  expect(secrets.verify(secrets.credential("id"))).toBe("id");
});
