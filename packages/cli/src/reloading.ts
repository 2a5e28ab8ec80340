import { statSync, unwatchFile, watchFile } from "node:fs";
import type { Config, Gateway } from "@aldis/server";
import pc from "picocolors";
import { CliFailure } from "./console.ts";
import type { Setup } from "./load-plugins.ts";

/** Looked at so often: editors replace files in as many ways as there are editors, and all of them change its time or size. */
const LOOK_MS = 250;

export type ReloadingDeps = {
  /** The config file; undefined: there is nothing to watch. */
  readonly path: string | undefined;
  /** Reads and checks everything anew; throws {@link CliFailure} with what is wrong. */
  readonly read: () => Promise<Setup>;
  readonly open: (setup: Setup) => Gateway;
  readonly note: (text: string) => void;
};

type Running = { readonly gateway: Gateway; readonly setup: Setup; readonly stamp: string };

/** Keeps a gateway running with what its config file and its plugins say now. What is wrong with them is told, and the old one goes on. */
export function reloading(
  { path, read, open, note }: ReloadingDeps,
  first: Omit<Running, "stamp">,
): { close(): Promise<void> } {
  let running: Running = { ...first, stamp: stampOf(first.setup) };
  let last: Promise<void> = Promise.resolve();
  let closing = false;
  const watched = new Set<string>();

  async function reload(): Promise<void> {
    if (closing) return;
    try {
      await replace(await read());
    } catch (error) {
      if (!(error instanceof CliFailure)) throw error;
      note(`${pc.yellow("the change is not taken over")}: ${error.message}`);
    }
  }

  async function replace(setup: Setup): Promise<void> {
    const stamp = stampOf(setup);
    watch(setup.files);
    if (Bun.deepEquals(setup.config, running.setup.config) && stamp === running.stamp) return;
    const former = running;
    await former.gateway.close();
    try {
      running = { setup, stamp, gateway: open(samePort(setup, former)) };
      note(`${pc.green("started anew")} with the changed configuration: ${running.gateway.url}`);
    } catch (error) {
      running = { ...former, gateway: open(samePort(former.setup, former)) };
      throw error;
    }
  }

  const onChange = () => {
    last = last.then(reload);
  };

  function watch(files: readonly string[]): void {
    for (const file of files) {
      if (watched.has(file)) continue;
      watched.add(file);
      watchFile(file, { interval: LOOK_MS }, onChange);
    }
  }

  watch([...(path === undefined ? [] : [path]), ...first.setup.files]);
  return {
    async close() {
      closing = true;
      for (const file of watched) unwatchFile(file, onChange);
      await last;
      await running.gateway.close();
    },
  };
}

/** Other when a plugin's file has changed. What it imports itself is not looked at. */
function stampOf({ files }: Setup): string {
  return files
    .map((file) => {
      const { mtimeMs, size } = statSync(file, { throwIfNoEntry: false }) ?? {};
      return `${file} ${mtimeMs} ${size}`;
    })
    .join("\n");
}

/** Whoever asked for any free port keeps the one that their pages know. */
function samePort(setup: Setup, { gateway }: Running): Setup {
  const { config } = setup;
  if (config.listen.port !== 0) return setup;
  const listen: Config["listen"] = { ...config.listen, port: gateway.port };
  return { ...setup, config: { ...config, listen } };
}
