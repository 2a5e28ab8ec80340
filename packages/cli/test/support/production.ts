import { startCli } from "./run-cli.ts";

/** Enough for `aldis start`. */
export const TEST_KEYS = {
  ALDIS_JWT_SECRET: "a secret that only this test knows",
  ALDIS_API_KEY: "an-api-key-of-this-test",
};

/** Starts `aldis start` on a free port and gives its address, which it logs. */
export async function startProduction(env: Record<string, string>, args: string[] = []) {
  const gateway = startCli(["start", "--port", "0", "--host", "127.0.0.1", ...args], env);
  const [, url = ""] = await gateway.until(/"url":"(http[^"]+)"/);
  return Object.assign(gateway, { url, wsUrl: `${url.replace("http", "ws")}/ws` });
}
