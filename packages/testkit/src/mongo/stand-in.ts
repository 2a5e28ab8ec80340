// The server that speaks MongoDB's protocol where there is no MongoDB: a Go program in `ferretdb/`, built once for each version of it.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const SOURCE = join(import.meta.dir, "../../ferretdb");
const SOURCE_FILES = ["go.mod", "go.sum", "main.go", "front.go"];
/** Where it is installed by its own archive, which puts it on no path. */
const GO_FOLDER = "/usr/local/go/bin/go";

/** Go, which builds it; undefined when this machine has none. */
export function goProgram(): string | undefined {
  return Bun.which("go") ?? (existsSync(GO_FOLDER) ? GO_FOLDER : undefined);
}

/** Where it is when it has been built. */
export function standInPath(): string {
  const hash = createHash("sha256");
  for (const file of SOURCE_FILES) hash.update(readFileSync(join(SOURCE, file)));
  const caches = Bun.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return join(caches, "aldis", `ferretdb-${hash.digest("hex").slice(0, 16)}`, "ferretdb");
}

/**
 * Builds it if it is not there, and gives its path. Takes about a minute and a half the first time, when Go fetches what it is made of; throws what
 * Go said when that does not work.
 */
export async function buildStandIn(): Promise<string> {
  const path = standInPath();
  if (existsSync(path)) return path;
  const go = goProgram();
  if (go === undefined) throw new Error("there is no Go on this machine");
  // Of two that build it at once each has a whole one to put there.
  const made = `${path}.${process.pid}`;
  mkdirSync(join(path, ".."), { recursive: true });
  const child = Bun.spawn([go, "build", "-tags", "ferretdb_no_postgresql", "-o", made, "."], {
    cwd: SOURCE,
    env: { ...Bun.env, CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOFLAGS: BUILD_FLAGS },
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) {
    rmSync(made, { force: true });
    throw new Error(`go build: ${said.trimEnd().split("\n").slice(-10).join("\n")}`);
  }
  renameSync(made, path);
  return path;
}

/** The versions and hashes of `go.sum` alone; nothing of the checkout, so that it is the same from anywhere. */
const BUILD_FLAGS = "-mod=readonly -buildvcs=false -trimpath -ldflags=-w";
