import { join } from "node:path";
import type { Express } from "express";

/** The page and its script, which is built once, with the client inside. `gateway`: where its clients connect. */
export async function servePage(app: Express, gateway: string): Promise<void> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dir, "page.ts")],
    target: "browser",
    define: { GATEWAY: JSON.stringify(`${gateway.replace(/^http/, "ws")}/ws`) },
  });
  const [script] = outputs;
  if (script === undefined) throw new Error("the page's script was not built");
  const text = await script.text();
  app.get("/", (_, response) => response.sendFile(join(import.meta.dir, "page.html")));
  app.get("/page.js", (_, response) => void response.type("js").send(text));
}
