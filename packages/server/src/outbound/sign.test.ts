import { expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { createRandomIds } from "../random/random.ts";
import { newSecret, SECRET_PATTERN, signatureOf, signedHeaders } from "./sign.ts";

test("[BC3] [WH3] what is signed is verified by the library of the scheme, with any of the secrets, and with no other", () => {
  const random = createRandomIds();
  const secrets = [newSecret(random), newSecret(random)];
  for (const secret of secrets) expect(secret).toMatch(SECRET_PATTERN);
  const timestamp = Math.floor(Date.now() / 1_000);
  for (const body of ["{}", '{"a":"€🦊\\u2028"}', JSON.stringify("x".repeat(100_000))]) {
    const signed = { id: "bc_1", timestamp, body };
    const headers = signedHeaders(signed, secrets);
    for (const secret of secrets) {
      expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
    }
    const stranger = new Webhook(newSecret(random));
    expect(() => stranger.verify(body, headers)).toThrow();
    const library = new Webhook(secrets[0] ?? "").sign("bc_1", new Date(timestamp * 1_000), body);
    expect(signatureOf(signed, secrets.slice(0, 1))).toBe(library);
  }
});
