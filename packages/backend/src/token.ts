import { misuse } from "./errors.ts";
import { toBase64Url } from "./signing/base64.ts";
import { hmac } from "./signing/hmac.ts";
import { toJson } from "./to-json.ts";

export type Right = "subscribe" | "publish" | "history" | "presence" | "send" | "*";

export type TokenOptions = {
  /** What the gateway verifies with: its `ALDIS_JWT_SECRET`, or a token secret of the tenant. */
  readonly secret: string;
  /** The user's id. */
  readonly user: string;
  /** Absent: `default`. */
  readonly tenant?: string | undefined;
  /** What others see of the user. */
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly avatar?: string | undefined;
  /** Channels, or patterns such as `chat:*`, and what the user may do there. Without, only what namespaces allow everybody. */
  readonly capabilities?: Readonly<Record<string, readonly Right[]>> | undefined;
  /** Seconds, or a time such as `90s`, `15m`, `1h`, `7d`; an hour unless given. */
  readonly expiresIn?: number | string | undefined;
  /** When the gateway's configuration names one. */
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /** Claims of your own. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
};

/** A token (JWT, HS256) for a user, with the claims of docs/protocol.md section 2. Throws an `AldisError` when an option cannot be used. */
export async function createToken(options: TokenOptions): Promise<string> {
  const { secret, user, tenant, name, email, avatar, capabilities, issuer, audience } = options;
  // A variable that is not set would sign with nothing, or for nobody.
  for (const [name, value] of Object.entries({ secret, user })) {
    if (typeof value !== "string" || value === "") throw misuse(`\`${name}\` is empty, or no text`);
  }
  const iat = Math.floor(Date.now() / 1_000);
  const payload = {
    ...options.claims,
    ...defined({ tenant, name, email, picture: avatar, capabilities, iss: issuer, aud: audience }),
    sub: user,
    iat,
    exp: iat + secondsOf(options.expiresIn ?? 3_600),
  };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(payload)}`;
  const encoder = new TextEncoder();
  const mac = await hmac(encoder.encode(secret), encoder.encode(signed));
  return `${signed}.${toBase64Url(mac)}`;
}

function defined(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function part(value: object): string {
  return toBase64Url(new TextEncoder().encode(toJson(value)));
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

function secondsOf(given: number | string): number {
  if (typeof given === "number") {
    if (Number.isInteger(given) && given > 0) return given;
    throw misuse("`expiresIn` must be whole seconds, more than 0");
  }
  const [, count = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(given) ?? [];
  const seconds = Number(count) * (UNITS[unit] ?? 0);
  if (seconds === 0) throw misuse("`expiresIn` must be seconds, or as `90s`, `15m`, `1h`, `7d`");
  return seconds;
}
