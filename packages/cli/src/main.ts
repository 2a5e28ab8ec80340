#!/usr/bin/env bun
import { openConsole, settle } from "./console.ts";
import { run } from "./program.ts";

const code = await run(process.argv.slice(2), { env: process.env, ...openConsole() });
await settle();
process.exit(code);
