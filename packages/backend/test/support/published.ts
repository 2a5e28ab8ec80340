import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../build.ts";

/** A folder of somebody who has installed the built package, and removes it at the end. */
export async function installPublished(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "aldis-backend-"));
  await build(join(folder, "node_modules/@aldis/backend"));
  await Bun.write(join(folder, "package.json"), '{ "type": "module" }');
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
