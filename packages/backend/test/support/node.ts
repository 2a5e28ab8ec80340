import { existsSync } from "node:fs";

/** The machine's own, not what bun puts in its place in scripts. */
export const NODE = existsSync("/usr/bin/node") ? "/usr/bin/node" : "node";
