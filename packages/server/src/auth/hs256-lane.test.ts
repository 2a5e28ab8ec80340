// The lane must be jose in every verdict: the same tokens go to both, honest ones and thousands that are bent by hand.

import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { decodeProtectedHeader } from "jose";
import { type AuthConfig, authSchema } from "./auth-config.ts";
import { createIdentityReader } from "./claims.ts";
import { createTokenVerifier } from "./create-token-verifier.ts";
import { createJoseJudge } from "./jose-judge.ts";
import { createFakeClock } from "./test/fake-clock.ts";
import { trustOf } from "./trust.ts";

const SECRETS = ["the secret in force, of 32 bytes!", "the secret before that, 32 bytes!"];
const clock = createFakeClock();
const NOW = Math.floor(clock.nowMs() / 1000);
// Times are judged in whole seconds: this is not one.
clock.setWall(NOW * 1000 + 700);

function configOf(over: object): AuthConfig {
  return authSchema.parse({ jwtSecret: SECRETS, cacheMax: 0, tokenMaxBytes: 8_192, ...over });
}

const CONFIGS = {
  plain: configOf({}),
  strict: configOf({ issuer: ["https://id.example/", "other"], audience: ["api", "web"] }),
  "no tolerance": configOf({ clockSkewMs: 0 }),
  "half a second": configOf({ clockSkewMs: 500, issuer: "https://id.example/" }),
};

function sign(header: string, payload: string, secret = SECRETS[0] ?? ""): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}

/** What jose says, and what the verifier says that has the lane; the order of a map's entries counts too. */
function compare(config: AuthConfig) {
  const trust = trustOf(config);
  const readIdentity = createIdentityReader(trust.claims);
  const jose = createJoseJudge(
    { trust, config, judgeClaims: (claims) => readIdentity(claims) ?? "claims" },
    { clock },
  );
  const verifier = createTokenVerifier(config, { clock });
  return async (token: string) => {
    const header = decodeProtectedHeader(token);
    const ours = await verifier.verify(token);
    const theirs = await jose.judge(token, { ...header, alg: String(header.alg) });
    return {
      ours: ours.ok ? ours.identity : ours.cause,
      theirs,
      atOnce: !(verifier.verify(token) instanceof Promise),
    };
  };
}

const HEADER = '{"alg":"HS256","typ":"JWT"}';

/** Values that a claim may have, right, almost right and absurd. */
const time = fc.oneof(
  fc.integer({ min: -62, max: 62 }).map((delta) => NOW + delta),
  fc.double({ min: -62, max: 62, noNaN: true }).map((delta) => NOW + delta),
  fc.constantFrom(
    0,
    -1,
    1e300,
    2 ** 53,
    253_402_300_799,
    253_402_300_800,
    "0",
    "",
    null,
    true,
    [],
    {},
  ),
);
const text = fc.oneof(
  fc.constantFrom("https://id.example/", "https://id.example", "other", "api", "API", "web", ""),
  fc.string(),
);
const strange = fc.oneof(
  fc.constant(null),
  fc.integer(),
  fc.array(text, { maxLength: 3 }),
  fc.object(),
);
const claims = fc.record(
  {
    sub: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom("ann", "ben", "ann:x") },
      fc.string(),
      strange,
    ),
    exp: time,
    nbf: time,
    iat: time,
    iss: fc.oneof({ weight: 3, arbitrary: text }, strange),
    aud: fc.oneof({ weight: 3, arbitrary: text }, strange),
    tenant: fc.oneof(fc.constantFrom("acme", "a/b", ""), strange),
    name: fc.oneof(fc.string({ unit: "binary" }), strange),
    capabilities: fc.oneof(
      fc.constantFrom(
        "*",
        { "chat:*": ["subscribe"], "user:{userId}": "*" },
        { "a:{userId}b": "*" },
      ),
      fc.dictionary(fc.string(), fc.constantFrom("*", "publish", ["history", 7])),
      strange,
    ),
  },
  { requiredKeys: [] },
);
const header = fc.record(
  {
    alg: fc.constant("HS256"),
    typ: fc.constantFrom("JWT", "jwt", "at+jwt", "x", 7, null),
    kid: fc.oneof(fc.string(), strange),
    crit: fc.constantFrom(null, [], ["b64"], ["exp"], "b64", [7]),
    b64: fc.constantFrom(true, false, null, "no"),
    zip: fc.constant("DEF"),
    jwk: fc.object(),
  },
  { requiredKeys: ["alg"] },
);

/** JSON that is not as `JSON.stringify` writes it. */
const spelled = (json: string) =>
  fc.constantFrom(
    json,
    ` ${json}\n`,
    `\ufeff${json}`,
    `${json},`,
    `[${json}]`,
    json.replace("{", '{"sub":"eve","exp":1,'),
    json.replace("{", '{"__proto__":{"sub":"eve"},"constructor":1,'),
    json.replace("}", ',"sub":"last"}'),
    json.replace("}", ',"exp":1e999}'),
    json.replace("}", ',"nbf":-0}'),
    "null",
    "7",
    "",
  );

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** A token that was signed and then bent: a letter changed, put in, taken out, or a part replaced. */
function bent(token: string) {
  const at = fc.nat(token.length - 1);
  const letter = fc.constantFrom(...BASE64URL);
  const [head = "", body = "", signature = ""] = token.split(".");
  return fc.oneof(
    fc.tuple(at, letter).map(([i, x]) => token.slice(0, i) + x + token.slice(i + 1)),
    fc.tuple(at, letter).map(([i, x]) => token.slice(0, i) + x + token.slice(i)),
    at.map((i) => token.slice(0, i) + token.slice(i + 1)),
    letter.map((x) => token.slice(0, -1) + x),
    fc.nat(signature.length).map((length) => `${head}.${body}.${signature.slice(0, length)}`),
    fc.constant(`${head}.${body}.${signature}${signature}`),
    fc.constant(`${head}.${body}.${encode("x".repeat(32))}`),
  );
}

const signed = fc
  .tuple(header, claims, fc.constantFrom(...SECRETS))
  .chain(([head, body, secret]) =>
    fc
      .tuple(spelled(JSON.stringify(head)), spelled(JSON.stringify(body)))
      .map(([headText, bodyText]) => sign(headText, bodyText, secret)),
  );

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/** What gets past the checks that both share: its length, three parts, and a header that names HS256. */
function reachesBoth(token: string, { tokenMaxBytes }: AuthConfig): boolean {
  if (token.length > tokenMaxBytes) return false;
  try {
    const { alg, typ } = decodeProtectedHeader(token);
    const plain = typeof typ !== "string" || !/\+jwt$/i.test(typ) || /at\+jwt$/i.test(typ);
    return COMPACT.test(token) && alg === "HS256" && plain;
  } catch {
    return false;
  }
}

for (const [name, config] of Object.entries(CONFIGS)) {
  describe(`[AU3] the HS256 lane judges as jose does: ${name}`, () => {
    const judge = compare(config);
    const agree = async (token: string) => {
      if (!reachesBoth(token, config)) return;
      const { ours, theirs } = await judge(token);
      expect(ours).toEqual(theirs);
    };

    test("signed tokens with any claims, headers and spellings", async () => {
      await fc.assert(fc.asyncProperty(signed, agree), { numRuns: 500 });
    });

    test("claims that are mostly right", async () => {
      const likely = fc.tuple(claims, fc.constantFrom(...SECRETS)).map(([body, secret]) => {
        const full = { sub: "ann", iss: "https://id.example/", aud: ["web", "x"], ...body };
        return sign(HEADER, JSON.stringify(full), secret);
      });
      await fc.assert(fc.asyncProperty(likely, agree), { numRuns: 500 });
    });

    test("tokens that were bent after they were signed", async () => {
      await fc.assert(fc.asyncProperty(signed.chain(bent), agree), { numRuns: 500 });
    });
  });
}

describe("the HS256 lane", () => {
  const judge = compare(CONFIGS.plain);
  const ann = '{"sub":"ann"}';

  test.each([...SECRETS])("answers at once, for each secret", async (secret) => {
    expect(await judge(sign(HEADER, ann, secret))).toMatchObject({
      atOnce: true,
      ours: { userId: "ann" },
    });
    expect(await judge(sign(HEADER, ann, `${secret}?`))).toMatchObject({
      atOnce: true,
      ours: "signature",
    });
  });

  test("leaves to jose what has an extension that must be understood", async () => {
    const token = sign('{"alg":"HS256","crit":["b64"],"b64":true}', ann);
    expect(await judge(token)).toMatchObject({ atOnce: false, ours: { userId: "ann" } });
    const unencoded = sign('{"alg":"HS256","crit":["b64"],"b64":false}', ann);
    expect(await judge(unencoded)).toMatchObject({ atOnce: false, ours: "malformed" });
  });

  test("a payload that is signed and is no UTF-8, or no JSON object, is malformed", async () => {
    const head = encode(HEADER);
    for (const payload of [
      Buffer.from('{"sub":"\xff"}', "latin1").toString("base64url"),
      "A",
      encode("[]"),
    ]) {
      const text = `${head}.${payload}`;
      const signature = createHmac("sha256", SECRETS[0] ?? "")
        .update(text)
        .digest("base64url");
      const { ours, theirs } = await judge(`${text}.${signature}`);
      expect([ours, theirs]).toEqual(["malformed", "malformed"]);
    }
  });

  test("[AU3] a signature cut short or made longer opens nothing", async () => {
    const token = sign(HEADER, ann);
    for (let length = 0; length < 43; length++) {
      const cut = token.slice(0, token.lastIndexOf(".") + 1 + length);
      const { ours, theirs } = await judge(cut);
      expect(ours).toEqual(theirs);
      expect(ours).toBeString();
    }
  });
});
