import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";

const LEFT_OUT = new Set([".git", "node_modules", "dist", "coverage"]);

/**
 * A copy of the repository at `root` in `folder` that tests can run in and that may be broken: what is installed is linked, but
 * the packages see each other's copies, not the originals.
 */
export function copyTree(root: string, folder: string): void {
  cpSync(root, folder, {
    recursive: true,
    filter: (path) => path === root || !LEFT_OUT.has(basename(path)),
  });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const home of packageFolders(root)) copyLinks(join(root, home), join(folder, home));
}

function packageFolders(root: string): string[] {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
  return [...packages, "bench", "e2e"];
}

/** The links of a package's `node_modules` are relative, so that in the copy they lead to the copy. */
function copyLinks(from: string, to: string): void {
  const installed = join(from, "node_modules");
  if (!existsSync(installed) || !existsSync(to)) return;
  mkdirSync(join(to, "node_modules"), { recursive: true });
  cpSync(installed, join(to, "node_modules"), { recursive: true, verbatimSymlinks: true });
}
