import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createFirebaseRevocation } from "./firebase-revocation.ts";
import { createFakeClock } from "./test/fake-clock.ts";
import { createKeyServer } from "./test/key-server.ts";
import { createKeyPair } from "./test/tokens.ts";

const nowSeconds = Math.floor(Date.now() / 1000);

/** Users as Identity Toolkit's `accounts:lookup` tells of them. `null`: its answer never comes. */
const users: Readonly<Record<string, object | null>> = {
  good: { validSince: String(nowSeconds - 1_000) },
  plain: {},
  disabled: { disabled: true },
  "signed-out": { validSince: String(nowSeconds) },
  slow: null,
};

const emulator = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const body = (await request.json()) as { localId: string[] };
    const id = body.localId[0] ?? "";
    const { pathname } = new URL(request.url);
    if (id === "failing") return Response.json({ error: { message: "INTERNAL" } }, { status: 400 });
    // A tenant of Identity Platform has its own users; `good` is not one of them.
    const inTenant = pathname.includes("/tenants/corp/");
    const user = id === (inTenant ? "member" : id) ? users[inTenant ? "good" : id] : undefined;
    if (user === null) return new Promise<Response>(() => undefined);
    return Response.json(user === undefined ? {} : { users: [{ ...user, localId: id }] });
  },
});
const keys = await createKeyPair("RS256", "google");
const keyServer = createKeyServer([keys.jwk]);
afterAll(async () => {
  await emulator.stop(true);
  await keyServer.stop();
});

async function causesOf(ids: readonly string[], more: object = {}): Promise<unknown> {
  const claims = {
    iss: "https://securetoken.google.com/demo-project",
    aud: "demo-project",
    auth_time: nowSeconds - 500,
    exp: nowSeconds + 3600,
    ...more,
  };
  const tokens = await Promise.all(ids.map((sub) => keys.sign({ ...claims, sub })));
  const config = {
    provider: { kind: "firebase", projectId: "demo-project", checkRevoked: true },
    jwks: { url: keyServer.url, timeoutMs: 2_000 },
  };
  const probe = Bun.spawn([process.execPath, join(import.meta.dir, "test/firebase-probe.ts")], {
    env: { PATH: "", FIREBASE_AUTH_EMULATOR_HOST: `127.0.0.1:${emulator.port}` },
    stdin: new Blob([JSON.stringify({ config, tokens })]),
    stdout: "pipe",
    stderr: "inherit",
  });
  const answer: unknown = await new Response(probe.stdout).json();
  expect(await probe.exited).toBe(0);
  return answer;
}

describe("Firebase revocation", () => {
  test("disabled, signed-out and deleted users are refused, others not", async () => {
    const ids = ["good", "plain", "disabled", "signed-out", "deleted"];
    expect(await causesOf(ids)).toEqual(["accepted", "accepted", "revoked", "revoked", "revoked"]);
  }, 30_000);

  test("when Firebase fails or does not answer, nobody is let in unasked", async () => {
    const unavailable = "keys_unavailable";
    expect(await causesOf(["failing", "slow", "good"])).toEqual([
      unavailable,
      unavailable,
      "accepted",
    ]);
  }, 30_000);

  test("users of an Identity Platform tenant are looked up there", async () => {
    const firebase = { tenant: "corp" };
    expect(await causesOf(["member", "good"], { firebase })).toEqual(["accepted", "revoked"]);
  }, 30_000);

  test("says at the start that the package is missing", () => {
    const options = { projectId: "demo-project", serviceAccountFile: undefined, timeoutMs: 1_000 };
    expect(() =>
      createFirebaseRevocation(createFakeClock(), { ...options, resolveFrom: "/" }),
    ).toThrow("needs the package firebase-admin, which is not installed");
  });
});
