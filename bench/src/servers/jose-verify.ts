import { BENCH_SECRET } from "../token.ts";

/**
 * HS256 verification by jose, as the ws and Socket.IO servers do it. bench does not depend on jose; main
 * passes the file of the copy that @aldis/server has.
 */
type Jose = {
  jwtVerify(
    token: string,
    key: CryptoKey,
    options: { algorithms: string[] },
  ): Promise<{ payload: { sub?: string } }>;
};

const jose = (await import(process.env["BENCH_JOSE"] ?? "jose")) as Jose;

// An imported key: jose imports raw bytes anew for each token, which costs several times as much.
const key = await crypto.subtle.importKey(
  "raw",
  new TextEncoder().encode(BENCH_SECRET),
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["verify"],
);

/** The user of a valid token; rejects for any other. */
export async function verifyToken(token: string): Promise<string> {
  const { payload } = await jose.jwtVerify(token, key, { algorithms: ["HS256"] });
  return payload.sub ?? "";
}
