import { loadConfig } from "@aldis/server";
import { devBanner } from "../../src/dev-banner.ts";

/** The banner as it would be at `url`. */
export function createBanner(url: string): string {
  const loaded = loadConfig({ file: { api: { keys: [{ key: "a-key-for-the-banner" }] } } });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { config } = loaded;
  return devBanner({ config, url, token: "a.b.c", env: {}, ownKey: true, ownSecret: true });
}
