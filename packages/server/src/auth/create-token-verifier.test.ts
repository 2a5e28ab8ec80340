import { afterAll, describe, expect, test } from "bun:test";
import { parseTenantId } from "../tenant/tenant.ts";
import { type AuthConfig, authSchema } from "./auth-config.ts";
import { createTokenVerifier } from "./create-token-verifier.ts";
import { createFakeClock } from "./test/fake-clock.ts";
import { createKeyServer, type KeyServer } from "./test/key-server.ts";
import { craft, createKeyPair, createSecretSigner, withPart } from "./test/tokens.ts";
import { tokenVerifierContract, type VerifierFixture } from "./token-verifier.contract.ts";

type AuthInput = Parameters<typeof authSchema.parse>[0] & Record<string, unknown>;

const servers: KeyServer[] = [];
afterAll(async () => {
  for (const server of servers) await server.stop();
});

function opener(keys: AuthInput): VerifierFixture["open"] {
  return (clock, over = {}) =>
    createTokenVerifier(authSchema.parse({ ...keys, ...over, tokenMaxBytes: 1_000 }), { clock });
}

for (const algorithm of ["HS256", "HS512"]) {
  const secret = "an honest secret of enough bytes, for every hash there is: 64 bytes";
  tokenVerifierContract(`secret, ${algorithm}`, async () => ({
    signer: createSecretSigner(secret, algorithm),
    stranger: createSecretSigner(`${secret}!`, algorithm),
    publicText: undefined,
    open: opener({ jwtSecret: secret, algorithms: [algorithm] }),
  }));
}

for (const algorithm of ["RS256", "PS256", "ES256", "ES384", "EdDSA"]) {
  tokenVerifierContract(`public key, ${algorithm}`, async () => {
    const pair = await createKeyPair(algorithm);
    return {
      signer: pair,
      stranger: await createKeyPair(algorithm),
      publicText: pair.publicPem,
      open: opener({
        publicKey: pair.publicPem,
        ...(algorithm === "PS256" && { algorithms: [algorithm] }),
      }),
    };
  });
}

for (const algorithm of ["RS256", "ES256", "EdDSA"]) {
  tokenVerifierContract(`key set, ${algorithm}`, async () => {
    const pair = await createKeyPair(algorithm, "key-1");
    const server = createKeyServer([pair.jwk, (await createKeyPair("ES384", "key-2")).jwk]);
    servers.push(server);
    return {
      signer: pair,
      stranger: await createKeyPair(algorithm, "key-1"),
      publicText: pair.publicPem,
      open: opener({ jwks: { url: server.url } }),
    };
  });
}

describe("createTokenVerifier", () => {
  const clock = createFakeClock();
  const secret = "0123456789abcdef0123456789abcdef";
  const open = (config: AuthInput) => createTokenVerifier(authSchema.parse(config), { clock });
  const causeOf = async (config: AuthConfig, token: string) => {
    const verdict = await createTokenVerifier(config, { clock }).verify(token);
    return verdict.ok ? "accepted" : verdict.cause;
  };

  test("faults 27: a header is each token's own, whatever was read before it", async () => {
    const config = authSchema.parse({ jwtSecret: secret, algorithms: ["HS256", "HS512"] });
    const good = await createSecretSigner(secret).sign({ sub: "ann" });
    const [header = ""] = good.split(".");
    const others = [
      await createSecretSigner(secret, "HS512").sign({ sub: "ann" }),
      await createSecretSigner(secret).sign({ sub: "ann" }, { typ: "logout+jwt" }),
      craft({ alg: "none" }, { sub: "ann" }),
      withPart(good, 0, `${header}${header}`),
      withPart(good, 0, header.slice(0, -4)),
      `.${good}`,
      good.slice(good.indexOf(".")),
    ];
    const verifier = createTokenVerifier(config, { clock });
    for (const other of others) {
      for (const token of [good, other, other]) {
        const verdict = await verifier.verify(token);
        expect(verdict.ok ? "accepted" : verdict.cause).toBe(await causeOf(config, token));
      }
    }
  });

  test("several secrets: tokens of the old and of the new one are accepted", async () => {
    const verifier = open({ jwtSecret: ["old secret, old secret", "new secret, new secret"] });
    for (const name of ["old", "new"]) {
      const token = await createSecretSigner(`${name} secret, ${name} secret`).sign({ sub: "ann" });
      expect((await verifier.verify(token)).ok).toBe(true);
    }
    const other = await createSecretSigner("bad secret, bad secret").sign({ sub: "ann" });
    expect(await verifier.verify(other)).toEqual({ ok: false, cause: "signature" });
  });

  test("several public keys, of several kinds", async () => {
    const pairs = await Promise.all(["RS256", "ES256", "EdDSA"].map((name) => createKeyPair(name)));
    const verifier = open({ publicKey: pairs.map((pair) => pair.publicPem) });
    for (const pair of pairs) {
      expect((await verifier.verify(await pair.sign({ sub: "ann" }))).ok).toBe(true);
    }
  });

  test("algorithm confusion: beside a secret, a public key is still no secret", async () => {
    const pair = await createKeyPair("RS256");
    const config = authSchema.parse({ jwtSecret: secret, publicKey: pair.publicPem });
    for (const text of [pair.publicPem, pair.publicPem.trim()]) {
      const forged = await createSecretSigner(text).sign({ sub: "ann" });
      expect(await causeOf(config, forged)).toBe("signature");
    }
    expect(await causeOf(config, await pair.sign({ sub: "ann" }))).toBe("accepted");
    expect(await causeOf(config, await createSecretSigner(secret).sign({ sub: "ann" }))).toBe(
      "accepted",
    );
  });

  test("an algorithm that is not listed is refused though the key could verify it", async () => {
    const pair = await createKeyPair("PS256");
    const config = authSchema.parse({ publicKey: pair.publicPem });
    expect(await causeOf(config, await pair.sign({ sub: "ann" }))).toBe("algorithm");
  });

  test("without any keys every token is refused", async () => {
    const token = await createSecretSigner(secret).sign({ sub: "ann" });
    expect(await causeOf(authSchema.parse({}), token)).toBe("algorithm");
  });

  test("claims are read where the config says, dots and URLs in names included", async () => {
    const verifier = open({
      jwtSecret: secret,
      claims: {
        user: "user.id",
        tenant: "https://app.example.com/tenant",
        capabilities: ["https://app.example.com/", "caps"],
        name: ["profile", "display.name"],
      },
    });
    const token = await createSecretSigner(secret).sign({
      user: { id: "u1" },
      "https://app.example.com/tenant": "acme",
      "https://app.example.com/": { caps: "*" },
      profile: { "display.name": "Ann" },
    });
    expect(await verifier.verify(token)).toMatchObject({
      ok: true,
      identity: { userId: "u1", tenant: "acme", name: "Ann" },
    });
  });

  test("bound to a tenant, it refuses tokens that name another", async () => {
    const tenant = parseTenantId("acme");
    if (!tenant.ok) throw new Error("unreachable");
    const config = authSchema.parse({ jwtSecret: secret });
    const verifier = createTokenVerifier(config, { clock, tenant: tenant.value });
    const sign = createSecretSigner(secret).sign;
    expect(await verifier.verify(await sign({ sub: "ann", tenant: "other" }))).toEqual({
      ok: false,
      cause: "claims",
    });
    for (const claims of [{ sub: "ann", tenant: "acme" }, { sub: "ann" }]) {
      expect(await verifier.verify(await sign(claims))).toMatchObject({
        identity: { tenant: "acme" },
      });
    }
  });

  test("with `cacheMax` 0 every token is verified", async () => {
    const verifier = open({ jwtSecret: secret, algorithms: ["HS512"], cacheMax: 0 });
    const token = await createSecretSigner(secret, "HS512").sign({ sub: "ann" });
    await verifier.verify(token);
    expect(verifier.verify(token)).toBeInstanceOf(Promise);
  });

  test("close may be called twice", () => {
    const verifier = open({ jwtSecret: secret });
    verifier.close();
    verifier.close();
  });
});
