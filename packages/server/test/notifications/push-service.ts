// A push service as browsers have one: takes Web Pushes, judges who sends them (RFC 8292), and decrypts them as the browser would (RFC 8291,
// RFC 8188). Written from the RFCs, and nothing of the gateway's in it.
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from "node:crypto";
import { importJWK, jwtVerify } from "jose";

export type BrowserKeys = {
  readonly p256dh: string;
  readonly auth: string;
  readonly privateKey: Buffer;
};

/** What a browser makes when it subscribes. */
export function createBrowserKeys(): BrowserKeys {
  const pair = createECDH("prime256v1");
  const p256dh = pair.generateKeys("base64url");
  return { p256dh, auth: randomBytes(16).toString("base64url"), privateKey: pair.getPrivateKey() };
}

/** RFC 8291, section 3.4, over one record of RFC 8188. Throws when it was not encrypted for these keys. */
export function decrypt(message: Buffer, keys: BrowserKeys): string {
  const salt = message.subarray(0, 16);
  const keyLength = message[20] ?? 0;
  const senderKey = message.subarray(21, 21 + keyLength);
  const sealed = message.subarray(21 + keyLength);
  const own = createECDH("prime256v1");
  own.setPrivateKey(keys.privateKey);
  const secret = own.computeSecret(senderKey);
  const info = Buffer.concat([
    Buffer.from("WebPush: info\0"),
    Buffer.from(keys.p256dh, "base64url"),
    senderKey,
  ]);
  const derive = (key: Buffer, from: Buffer, about: Buffer, length: number) =>
    Buffer.from(hkdfSync("sha256", key, from, about, length));
  const ikm = derive(secret, Buffer.from(keys.auth, "base64url"), info, 32);
  const key = derive(ikm, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
  const nonce = derive(ikm, salt, Buffer.from("Content-Encoding: nonce\0"), 12);
  const decipher = createDecipheriv("aes-128-gcm", key, nonce);
  decipher.setAuthTag(sealed.subarray(-16));
  const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
  const end = padded.lastIndexOf(2);
  return padded.subarray(0, end).toString("utf8");
}

export type TakenPush = {
  readonly path: string;
  readonly headers: Headers;
  readonly body: Buffer;
  /** Claims of the VAPID token, whose signature was right. */
  readonly claims: Readonly<Record<string, unknown>>;
};

export type PushService = AsyncDisposable & {
  readonly url: string;
  readonly taken: TakenPush[];
  /** Requests that it refused, with why. */
  readonly wrong: string[];
  /** What the next ones are answered with; none: 201. */
  readonly answers: Response[];
};

type Tls = { readonly key: string; readonly cert: string };

export function startPushService({
  publicKey,
  tls,
  origin,
}: {
  readonly publicKey: string;
  readonly tls?: Tls;
  /** As the sender calls it, where that is not its address. */
  readonly origin?: (port: number) => string;
}): PushService {
  const taken: TakenPush[] = [];
  const wrong: string[] = [];
  const answers: Response[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    ...(tls && { tls }),
    async fetch(request) {
      const url = new URL(request.url);
      const body = Buffer.from(await request.arrayBuffer());
      const self = origin?.(Number(server.port)) ?? url.origin;
      try {
        const claims = await judge(request.headers, { publicKey, origin: self });
        if (request.headers.get("content-encoding") !== "aes128gcm") throw new Error("encoding");
        if (body.length > 4_096) throw new Error("too large");
        const answer = answers.shift();
        if (answer !== undefined) return answer;
        taken.push({ path: url.pathname, headers: request.headers, body, claims });
        return new Response(null, { status: 201 });
      } catch (error) {
        wrong.push(String(error));
        return new Response(null, { status: 403 });
      }
    },
  });
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${server.port}`,
    taken,
    wrong,
    answers,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** RFC 8292: signed by the key that the browser subscribed with, for this service, for at most a day. */
async function judge(
  headers: Headers,
  { publicKey, origin }: { readonly publicKey: string; readonly origin: string },
): Promise<Readonly<Record<string, unknown>>> {
  const [, token = "", key] =
    /^vapid t=([^,]+), ?k=([\w-]+)$/.exec(headers.get("authorization") ?? "") ?? [];
  if (key !== publicKey) throw new Error("another key");
  const point = Buffer.from(publicKey, "base64url");
  const x = point.subarray(1, 33).toString("base64url");
  const y = point.subarray(33).toString("base64url");
  const jwk = await importJWK({ kty: "EC", crv: "P-256", x, y }, "ES256");
  const { payload } = await jwtVerify(token, jwk, { audience: origin, algorithms: ["ES256"] });
  if ((payload.exp ?? Infinity) > Date.now() / 1_000 + 24 * 3_600) throw new Error("too long");
  if (!/^(mailto:|https:)/.test(String(payload.sub))) throw new Error("no subject");
  return payload;
}
