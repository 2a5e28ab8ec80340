import { expect, test } from "bun:test";
import { AldisError } from "./errors.ts";
import { createToken } from "./token.ts";

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

test("a token has the claims that the gateway reads", async () => {
  const token = await createToken({
    secret: "s",
    user: "änn",
    tenant: "acme",
    name: "Änn 🎈",
    avatar: "https://example.com/a.png",
    capabilities: { "chat:*": ["subscribe"] },
    expiresIn: "7d",
    claims: { sub: "not this one", plan: "pro" },
  });
  const { iat, exp, ...claims } = claimsOf(token);
  expect(claims).toEqual({
    sub: "änn",
    tenant: "acme",
    name: "Änn 🎈",
    picture: "https://example.com/a.png",
    capabilities: { "chat:*": ["subscribe"] },
    plan: "pro",
  });
  expect(exp - iat).toBe(7 * 86_400);
});

test.each([0, -1, 1.5, Number.NaN, "", "0s", "1w", "1", "1e3s", " 1h"])(
  "%p is no time that a token holds",
  async (expiresIn) => {
    const failure = await createToken({ secret: "s", user: "u", expiresIn }).catch((e) => e);
    expect(failure).toBeInstanceOf(AldisError);
  },
);

test("without a secret or a user, as of a variable that is not set, there is none", async () => {
  const notSet = undefined as unknown as string;
  for (const wrong of [{ secret: "" }, { user: "" }, { secret: notSet }, { user: notSet }]) {
    const failure = await createToken({ secret: "s", user: "u", ...wrong }).catch((e) => e.code);
    expect([wrong, failure]).toEqual([wrong, "bad_request"]);
  }
  const failure = createToken({ secret: "s", user: "u", claims: { n: 1n } }).catch((e) => e.code);
  expect(await failure).toBe("bad_request");
});
