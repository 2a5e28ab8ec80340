import { unwatchFile, watchFile } from "node:fs";
import type { Config, Gateway } from "@aldis/server";
import pc from "picocolors";
import { CliFailure } from "./console.ts";

/** Looked at so often: editors replace files in as many ways as there are editors, and all of them change its time or size. */
const LOOK_MS = 250;

export type ReloadingDeps = {
  /** The config file; undefined: there is nothing to watch. */
  readonly path: string | undefined;
  /** Reads and checks everything anew; throws {@link CliFailure} with what is wrong. */
  readonly read: () => Promise<Config>;
  readonly open: (config: Config) => Gateway;
  readonly note: (text: string) => void;
};

type Running = { readonly gateway: Gateway; readonly config: Config };

/** Keeps a gateway running with what its config file says now. What is wrong with the file is told, and the old one goes on. */
export function reloading(
  { path, read, open, note }: ReloadingDeps,
  first: Running,
): { close(): Promise<void> } {
  let running = first;
  let last: Promise<void> = Promise.resolve();
  let closing = false;

  async function reload(): Promise<void> {
    if (closing) return;
    try {
      await replace(await read());
    } catch (error) {
      if (!(error instanceof CliFailure)) throw error;
      note(`${pc.yellow("the change is not taken over")}: ${error.message}`);
    }
  }

  async function replace(config: Config): Promise<void> {
    if (Bun.deepEquals(config, running.config)) return;
    const former = running;
    await former.gateway.close();
    try {
      running = { config, gateway: open(samePort(config, former)) };
      note(`${pc.green("started anew")} with the changed configuration: ${running.gateway.url}`);
    } catch (error) {
      running = { ...former, gateway: open(samePort(former.config, former)) };
      throw error;
    }
  }

  const onChange = () => {
    last = last.then(reload);
  };
  if (path !== undefined) watchFile(path, { interval: LOOK_MS }, onChange);
  return {
    async close() {
      closing = true;
      if (path !== undefined) unwatchFile(path, onChange);
      await last;
      await running.gateway.close();
    },
  };
}

/** Whoever asked for any free port keeps the one that their pages know. */
function samePort(config: Config, { gateway }: Running): Config {
  if (config.listen.port !== 0) return config;
  return { ...config, listen: { ...config.listen, port: gateway.port } };
}
