import { expect, test } from "bun:test";
import { Webhook as Oracle } from "standardwebhooks";
import type { AldisError } from "../errors.ts";
import type { Signed } from "./signature.ts";
import { verifyWebhook } from "./webhook.ts";

const SECRET = `whsec_${btoa("a secret of 24 bytes, at least")}`;
const OTHER = `whsec_${btoa("another secret of 24 bytes...")}`;
const BODY = JSON.stringify({
  endpoint: "e1",
  events: [{ id: "x", seq: 1, type: "webhook.test", at: 1, tenant: "default", data: { é: "🎈" } }],
});

/** As the library of the scheme's authors signs. */
function signed(more: { body?: string; secret?: string; atMs?: number; id?: string } = {}): Signed {
  const { body = BODY, secret = SECRET, atMs = Date.now(), id = "msg_e1_1_1" } = more;
  const headers = {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(atMs / 1_000)),
    "webhook-signature": new Oracle(secret).sign(id, new Date(atMs), body),
  };
  return { secret: SECRET, headers, body };
}

const refusal = (given: Signed) => verifyWebhook(given).catch((error: AldisError) => error.code);

test("what the scheme's own library signs is taken, with headers and bodies of every kind", async () => {
  const { headers, ...rest } = signed();
  const webhook = await verifyWebhook({ headers, ...rest });
  expect(webhook).toMatchObject({ id: "msg_e1_1_1", endpoint: "e1", events: [{ seq: 1 }] });
  const plain = headers as Record<string, string>;
  const upper = Object.fromEntries(Object.entries(plain).map(([k, v]) => [k.toUpperCase(), v]));
  for (const kind of [new Headers(plain), upper]) {
    expect((await verifyWebhook({ ...rest, headers: kind })).endpoint).toBe("e1");
  }
  const bytes = new TextEncoder().encode(BODY);
  const padded = Buffer.from(`xx${BODY}x`).subarray(2, 2 + bytes.length);
  for (const body of [bytes, bytes.buffer, Buffer.from(BODY), padded]) {
    expect((await verifyWebhook({ ...rest, headers, body })).endpoint).toBe("e1");
  }
});

test("while secrets change, any of the receiver's and any of the sender's that meet will do", async () => {
  const old = signed({ secret: OTHER });
  expect(await refusal(old)).toBe("bad_signature");
  expect((await verifyWebhook({ ...old, secret: [SECRET, OTHER] })).endpoint).toBe("e1");
  const both = signed();
  const mixed = [old, both].map(
    ({ headers }) => (headers as Record<string, string>)["webhook-signature"],
  );
  const headers = { ...both.headers, "webhook-signature": `v1a,AAAA v2,x ${mixed.join(" ")}` };
  expect((await verifyWebhook({ ...both, headers })).endpoint).toBe("e1");
});

test("attack: another body, id or time, and no signature at all", async () => {
  const atMs = Date.now();
  const right = signed({ atMs });
  expect(await refusal({ ...right, body: BODY.replace("default", "acme") })).toBe("bad_signature");
  for (const change of [
    { "webhook-id": "msg_e1_1_2" },
    { "webhook-id": "" },
    { "webhook-timestamp": String(Math.floor(atMs / 1_000) - 1) },
    { "webhook-timestamp": "" },
    { "webhook-timestamp": "1e9" },
    { "webhook-signature": "" },
    { "webhook-signature": "v1," },
    { "webhook-signature": "v1,!!" },
    { "webhook-signature": `v1,${btoa("x".repeat(32))}` },
  ]) {
    const headers = { ...right.headers, ...change } as Record<string, string>;
    expect([change, await refusal({ ...right, headers })]).toEqual([change, "bad_signature"]);
  }
});

test("attack: a dot in the id makes the beginning of an old body its new time", async () => {
  const [long, now] = [1_700_000_000, Math.floor(Date.now() / 1_000)];
  // Signed long ago: a body that starts with digits and a dot.
  const signature = new Oracle(SECRET).sign("a", new Date(long * 1_000), `${now}.${BODY}`);
  const headers = {
    "webhook-id": `a.${long}`,
    "webhook-timestamp": String(now),
    "webhook-signature": signature,
  };
  expect(await refusal({ secret: SECRET, headers, body: BODY })).toBe("bad_signature");
});

test("attack: what was overheard is too old after five minutes, or what is said", async () => {
  const old = signed({ atMs: Date.now() - 301_000 });
  expect(await refusal(old)).toBe("bad_signature");
  expect((await verifyWebhook({ ...old, toleranceMs: 310_000 })).endpoint).toBe("e1");
  expect(await refusal(signed({ atMs: Date.now() + 310_000 }))).toBe("bad_signature");
});

test("what is signed and no webhook, and a secret that is none", async () => {
  for (const body of ["", "null", "[]", "{}", '{"endpoint":1,"events":[]}']) {
    expect([body, await refusal(signed({ body }))]).toEqual([body, "bad_request"]);
  }
  for (const body of [JSON.parse(BODY), undefined, null, 1]) {
    expect([body, await refusal({ ...signed(), body })]).toEqual([body, "bad_request"]);
  }
  for (const secret of ["", "whsec_", "whsec_!", [], undefined as unknown as string]) {
    expect([secret, await refusal({ ...signed(), secret })]).toEqual([secret, "bad_request"]);
  }
});
