import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Where the project's own source files are, whatever git has seen of them. */
const ROOTS = ["packages", "bench", "e2e", "examples", "scripts"];
const SKIPPED = new Set(["node_modules", "dist", "coverage"]);

/** Every file below the source folders, as sorted paths with `/`, relative to `root`. */
export function listSourceFiles(root: string): string[] {
  const found: string[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith(".")) {
        walk(path);
      } else if (entry.isFile()) found.push(path);
    }
  };
  const present = new Set(readdirSync(root));
  for (const folder of ROOTS) if (present.has(folder)) walk(folder);
  return found.sort();
}
