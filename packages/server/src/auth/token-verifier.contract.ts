import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { base64url } from "jose";
import { allows } from "./capabilities.ts";
import type { Identity } from "./identity.ts";
import { createFakeClock, type FakeClock } from "./test/fake-clock.ts";
import { type Claims, corrupt, craft, type Signer, withPart } from "./test/tokens.ts";
import type { TokenRefusal, TokenVerifier } from "./token-verifier.ts";

/** One kind of keys, its verifier, and who signs with those keys or would like to. */
export type VerifierFixture = {
  readonly signer: Signer;
  /** Signs with the same algorithm and another key. */
  readonly stranger: Signer;
  /** What the attacker knows and may try as an HMAC secret: the public key, as text. */
  readonly publicText: string | undefined;
  /** The defaults, but 1000 bytes at most per token. */
  open(
    clock: FakeClock,
    over?: { readonly issuer?: string; readonly audience?: string },
  ): TokenVerifier;
};

/** Every TokenVerifier must pass this; call it once per kind of keys. */
export function tokenVerifierContract(name: string, prepare: () => Promise<VerifierFixture>): void {
  describe(`TokenVerifier: ${name}`, async () => {
    const fixture = await prepare();
    const { signer, stranger } = fixture;
    const clock = createFakeClock();
    const verifier = fixture.open(clock);
    const nowSeconds = Math.floor(clock.nowMs() / 1000);
    const good = { sub: "ann", exp: nowSeconds + 3600 };

    const causeOf = async (token: string, by: TokenVerifier = verifier) => {
      const verdict = await by.verify(token);
      return verdict.ok ? "accepted" : verdict.cause;
    };
    const causeOfClaims = async (claims: Claims) => causeOf(await signer.sign(claims));
    const identityOf = async (claims: Claims): Promise<Identity> => {
      const verdict = await verifier.verify(await signer.sign(claims));
      if (!verdict.ok) throw new Error(verdict.cause);
      return verdict.identity;
    };

    test("[AU5] tells who the bearer is", async () => {
      const identity = await identityOf({
        ...good,
        tenant: "acme",
        name: "Ann",
        email: "ann@example.com",
        picture: "https://example.com/ann.png",
        capabilities: { "chat:*": ["subscribe"] },
      });
      expect(identity).toMatchObject({
        tenant: "acme",
        userId: "ann",
        name: "Ann",
        email: "ann@example.com",
        avatar: "https://example.com/ann.png",
        anonymous: false,
        expiresAtMs: good.exp * 1000,
      });
      expect(allows(identity.capabilities, "chat:lobby", "subscribe")).toBe(true);
      expect(allows(identity.capabilities, "chat:lobby", "publish")).toBe(false);
      expect(Object.isFrozen(identity)).toBe(true);
    });

    test("[AU5] a token that says nothing more than who: default tenant, no capabilities", async () => {
      const identity = await identityOf(good);
      expect(identity).toMatchObject({ tenant: "default", name: undefined, avatar: undefined });
      expect(allows(identity.capabilities, "chat:lobby", "subscribe")).toBe(false);
    });

    test("a token without `exp` has no end; a fractional `exp` is a whole number of ms", async () => {
      expect((await identityOf({ sub: "ann" })).expiresAtMs).toBeUndefined();
      const fractional = await identityOf({ sub: "ann", exp: nowSeconds + 10.12345 });
      expect(fractional.expiresAtMs).toBe((nowSeconds + 10) * 1000 + 123);
    });

    test("[AU7] times are judged with 60 s of tolerance, by the gateway's clock", async () => {
      expect(await causeOfClaims({ sub: "ann", exp: nowSeconds - 59 })).toBe("accepted");
      expect(await causeOfClaims({ sub: "ann", exp: nowSeconds - 60 })).toBe("expired");
      expect(await causeOfClaims({ sub: "ann", exp: nowSeconds - 61 })).toBe("expired");
      expect(await causeOfClaims({ sub: "ann", nbf: nowSeconds + 60 })).toBe("accepted");
      expect(await causeOfClaims({ sub: "ann", nbf: nowSeconds + 61 })).toBe("not_yet_valid");
    });

    test.each([
      ["exp as text", { exp: "4102444800" }],
      ["exp as null", { exp: null }],
      ["exp in milliseconds", { exp: 1_900_000_000_000 }],
      ["nbf as text", { nbf: "0" }],
      ["no sub", { sub: undefined }],
      ["sub null", { sub: null }],
      ["sub as a number", { sub: 7 }],
      ["sub as an object", { sub: { toString: "ann" } }],
      ["sub as a list", { sub: ["ann"] }],
      ["empty sub", { sub: "" }],
      ["overlong sub", { sub: "a".repeat(256) }],
      ["sub with a line break", { sub: "ann\nroot" }],
      ["sub with NUL", { sub: "ann\u0000" }],
      ["sub with a C1 control", { sub: "ann\u0085" }],
      ["sub with half a character", { sub: "ann\ud800" }],
      ["[AU8] sub of an anonymous user", { sub: "anon:1" }],
      ["tenant with a slash", { tenant: "acme/other" }],
      ["tenant with a newline", { tenant: "acme\n" }],
      ["empty tenant", { tenant: "" }],
      ["tenant null", { tenant: null }],
      ["tenant as a list", { tenant: ["acme"] }],
      ["tenant of 65", { tenant: "t".repeat(65) }],
      ["capabilities as a list", { capabilities: ["chat:*"] }],
      ["capabilities null", { capabilities: null }],
      ["capabilities with wrong values", { capabilities: { "chat:*": 7 } }],
    ] as [string, Claims][])("[AU3] refused for its claims: %s", async (_, claims) => {
      expect(await causeOfClaims({ ...good, ...claims })).toBe("claims");
    });

    test("[AU3] `exp` of infinity is no end at all", async () => {
      const payload = base64url.encode('{"sub":"ann","exp":1e999}');
      const honest = await signer.sign(good);
      expect(await causeOf(withPart(honest, 1, payload))).toBe("signature");
      // `1e999` cannot be signed through jose; the reader itself is asked in claims.test.ts.
    });

    test("a user id of 255 and a profile that cannot be shown do not lock anyone out", async () => {
      const identity = await identityOf({
        sub: "a".repeat(255),
        name: "two\nlines",
        email: { at: "example.com" },
        picture: "javascript:alert(1)",
      });
      expect(identity).toMatchObject({ name: undefined, email: undefined, avatar: undefined });
    });

    test.each(["none", "None", "nOnE", "", "hs256", "HS256 ", "constructor", "__proto__"])(
      "[AU3] `alg: %s`, unsigned, is refused",
      async (alg) => {
        const token = craft({ alg, ...(signer.kid !== undefined && { kid: signer.kid }) }, good);
        expect(await causeOf(token)).toBe("algorithm");
        expect(await causeOf(`${token}AAAA`)).toBe("algorithm");
      },
    );

    test.each([
      ["nothing", undefined],
      ["null", null],
      ["a number", 256],
      ["a list", ["HS256"]],
      ["an object", { name: "HS256" }],
    ])("[AU3] `alg` that is %s is refused", async (_, alg) => {
      expect(await causeOf(craft({ alg }, good, "AAAA"))).toBe("malformed");
    });

    test("[AU3] every other algorithm is refused, whatever the signature", async () => {
      for (const alg of [
        "HS256",
        "HS384",
        "HS512",
        "RS256",
        "PS512",
        "ES256",
        "EdDSA",
        "ML-DSA-44",
      ]) {
        if (alg === signer.algorithm) continue;
        const cause = await causeOf(withPart(await signer.sign(good), 0, header(alg)));
        expect(["algorithm", "signature", "unknown_key"]).toContain(cause);
      }
    });

    test("[AU3] algorithm confusion: HS256 with the public key as the secret", async () => {
      if (fixture.publicText === undefined) return;
      const { createSecretSigner } = await import("./test/tokens.ts");
      for (const text of [fixture.publicText, fixture.publicText.trim()]) {
        const token = await createSecretSigner(text).sign(good, kid());
        expect(await causeOf(token)).toBe("algorithm");
      }
    });

    test("[AU3] a changed header, payload or signature is refused", async () => {
      const token = await signer.sign(good);
      const other = await signer.sign({ sub: "eve" });
      expect(await causeOf(withPart(token, 1, other.split(".")[1] ?? ""))).toBe("signature");
      expect(await causeOf(corrupt(token, 2))).toBe("signature");
      expect(await causeOf(withPart(token, 2, ""))).toBe("signature");
      const retyped = withPart(token, 0, header(signer.algorithm, { typ: "JWT" }));
      expect(await causeOf(retyped)).toBe("signature");
    });

    test("[AU3] a key of somebody else is refused", async () => {
      expect(await causeOf(await stranger.sign(good, kid()))).toBe("signature");
    });

    test.each([
      "../../../../dev/null",
      "/proc/sys/kernel/randomize_va_space",
      "https://evil.example/jwks.json",
      "x' UNION SELECT 'key",
      "\u0000",
      "k".repeat(200),
    ])("[AU3] a `kid` of %p opens nothing", async (name) => {
      const cause = await causeOf(await stranger.sign(good, { kid: name }));
      expect(["signature", "unknown_key"]).toContain(cause);
      // The attack behind the path: a file of known content, often an empty one, as the key.
      const empty = craft({ alg: signer.algorithm, kid: name }, good, "AAAA");
      expect(["signature", "unknown_key"]).toContain(await causeOf(empty));
    });

    test("[AU3] a key that the token brings along is not used", async () => {
      const jwk = { kty: "oct", k: base64url.encode("mine") };
      const brought = {
        jwk,
        jku: "https://evil.example/",
        x5u: "https://evil.example/",
        x5c: ["AA"],
      };
      const token = await stranger.sign(good, { ...kid(), ...brought } as never);
      expect(await causeOf(token)).toBe("signature");
    });

    test("[AU3] an extension that must be understood is refused", async () => {
      const header = { ...kid(), crit: ["urn:x"], "urn:x": 1 };
      expect(await causeOf(await signer.sign(good, header as never))).toBe("malformed");
      const unencoded = craft(
        { alg: signer.algorithm, ...kid(), crit: ["b64"], b64: false },
        good,
        "AAAA",
      );
      expect(["malformed", "signature"]).toContain(await causeOf(unencoded));
    });

    test("[AU3] other things that the same key signs are no credentials", async () => {
      expect(await causeOf(await signer.sign(good, { typ: "logout+jwt" }))).toBe("malformed");
      expect(await causeOf(await signer.sign(good, { typ: "application/secevent+jwt" }))).toBe(
        "malformed",
      );
      for (const typ of ["JWT", "at+jwt", "application/at+JWT"]) {
        expect(await causeOf(await signer.sign(good, { typ }))).toBe("accepted");
      }
    });

    test("[AU3] what is no token is malformed", async () => {
      const token = await signer.sign(good);
      const [head = "", body = "", signature = ""] = token.split(".");
      const cases = [
        "",
        ".",
        "..",
        "...",
        "token",
        `${head}.${body}`,
        `${token}.`,
        `${token}.${body}.${signature}`,
        ` ${token}`,
        `${token}\n`,
        `${token}=`,
        `${token} ${token}`,
        `${head}=.${body}.${signature}`,
        `Bearer ${token}`,
        "\ud800.\udc00.x",
        craft("not JSON", good, "AAAA"),
        craft([signer.algorithm], good, "AAAA"),
        craft("null", good, "AAAA"),
        craft("7", good, "AAAA"),
      ];
      for (const text of cases) expect([text, await causeOf(text)]).toEqual([text, "malformed"]);
    });

    test("[AU3] a token beyond the limit is refused before anything of it is read", async () => {
      const big = await signer.sign({ ...good, name: "n".repeat(1000) });
      expect(verifier.verify(big)).toEqual({ ok: false, cause: "oversize" });
      expect(verifier.verify("x".repeat(1_000_000))).toEqual({ ok: false, cause: "oversize" });
      expect(await causeOf("x".repeat(1_000))).toBe("malformed");
    });

    test("[AU3] issuer and audience must be there and right", async () => {
      const strict = fixture.open(clock, { issuer: "https://id.example/", audience: "api" });
      const full = { ...good, iss: "https://id.example/", aud: ["web", "api"] };
      const cause = async (claims: Claims) =>
        causeOf(await signer.sign({ ...full, ...claims }), strict);
      expect(await cause({})).toBe("accepted");
      expect(await cause({ aud: "api" })).toBe("accepted");
      expect(await cause({ iss: "https://id.example" })).toBe("issuer");
      expect(await cause({ iss: undefined })).toBe("issuer");
      expect(await cause({ iss: ["https://id.example/"] })).toBe("issuer");
      expect(await cause({ aud: "API" })).toBe("audience");
      expect(await cause({ aud: undefined })).toBe("audience");
      expect(await cause({ aud: [] })).toBe("audience");
      expect(await cause({ aud: { api: true } })).toBe("audience");
      strict.close();
    });

    test("a token that was accepted is answered at once until it ends", async () => {
      const own = createFakeClock();
      const cached = fixture.open(own);
      const token = await signer.sign({ sub: "ann", exp: own.nowMs() / 1000 + 100 });
      const first = await cached.verify(token);
      expect(first.ok).toBe(true);
      expect(cached.verify(token)).toEqual(first);
      own.advance(159_000);
      expect(cached.verify(token)).toEqual(first);
      own.advance(1_000);
      expect(cached.verify(token)).toEqual({ ok: false, cause: "expired" });
      // The host's clock set back makes it good again, and no more than that.
      own.setWall(own.nowMs() - 3_600_000);
      expect(cached.verify(token)).toEqual(first);
      cached.close();
    });

    test("a refused token is judged anew each time", async () => {
      const own = createFakeClock();
      const judging = fixture.open(own);
      const token = await signer.sign({ sub: "ann", nbf: own.nowMs() / 1000 + 100 });
      expect(await causeOf(token, judging)).toBe("not_yet_valid");
      own.advance(100_000);
      expect(await causeOf(token, judging)).toBe("accepted");
      judging.close();
    });

    test("arbitrary text never throws and never verifies", async () => {
      const token = await signer.sign(good);
      const causes = new Set<TokenRefusal>();
      const refused = async (text: string) => {
        const verdict = await verifier.verify(text);
        if (!verdict.ok) causes.add(verdict.cause);
        return !verdict.ok;
      };
      const part = fc.oneof(
        fc.string(),
        fc.json().map((json) => base64url.encode(json)),
      );
      const dotted = fc.tuple(part, part, part).map((parts) => parts.join("."));
      await fc.assert(fc.asyncProperty(fc.string({ unit: "binary" }), refused));
      await fc.assert(fc.asyncProperty(dotted, refused));
      const mutation = fc.tuple(
        fc.nat(token.length - 1),
        fc.string({ minLength: 1, maxLength: 1 }),
      );
      await fc.assert(
        fc.asyncProperty(mutation, async ([at, letter]) => {
          const mutated = token.slice(0, at) + letter + token.slice(at + 1);
          // The last letter of a base64url text may hold bits that decode to nothing (RFC 4648 §3.5).
          return sameToken(mutated, token) || (await refused(mutated));
        }),
      );
      expect([...causes]).toContain("malformed");
    });

    function header(alg: string, more: Claims = {}): string {
      return base64url.encode(JSON.stringify({ alg, ...kid(), ...more }));
    }
    function kid(): { kid?: string } {
      return signer.kid === undefined ? {} : { kid: signer.kid };
    }
  });
}

function sameToken(a: string, b: string): boolean {
  const bytes = (token: string) =>
    token.split(".").map((part) => Buffer.from(part, "base64url").toString("hex"));
  return bytes(a).join(".") === bytes(b).join(".");
}
