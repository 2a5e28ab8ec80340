#!/usr/bin/env bun
import { processConsole, settle } from "./console.ts";
import { run } from "./program.ts";

const code = await run(process.argv.slice(2), { env: process.env, ...processConsole });
await settle();
process.exit(code);
