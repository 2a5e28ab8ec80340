import { type Config, JOB_QUEUES } from "@aldis/server";
import { InvalidArgumentError } from "commander";
import type { CliContext } from "./console.ts";

/** Parsers of option values; what they throw is told together with the option's name. */

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw new InvalidArgumentError("A port is a number from 0 (any free one) to 65535.");
  }
  return port;
}

const UNIT_SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** `90s`, `15m`, `1h`, `7d` → seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const seconds =
    Number(match?.[1] ?? 0) * (UNIT_SECONDS[match?.[2] as keyof typeof UNIT_SECONDS] ?? 0);
  if (seconds === 0) throw new InvalidArgumentError("Give a time such as 90s, 15m, 1h or 7d.");
  return seconds;
}

export function parseCount(max: number) {
  return (text: string): number => {
    if (!/^\d{1,9}$/.test(text) || Number(text) > max) {
      throw new InvalidArgumentError(`Give a whole number from 0 to ${max}.`);
    }
    return Number(text);
  };
}

/** `webhooks,push` */
export function parseQueues(text: string): Config["jobs"]["queues"] {
  const names = text.split(",").map((name) => name.trim());
  const known = JOB_QUEUES.filter((queue) => names.includes(queue));
  if (known.length < new Set(names).size) {
    throw new InvalidArgumentError(`Give some of ${JOB_QUEUES.join(",")}.`);
  }
  return known;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError(`This is not JSON; a text needs quotes of its own: '"hello"'.`);
  }
}

const DEFAULT_URL = "http://localhost:8965";

/** `http(s)://…`, without `/ws` and slashes at the end: where a gateway's HTTP API is. */
export function parseUrl(text: string): string {
  const url = text.replace(/^ws/i, "http").replace(/\/+$/, "").replace(/\/ws$/, "");
  if (!/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) {
    throw new InvalidArgumentError(`Give the gateway's address, such as ${DEFAULT_URL}.`);
  }
  return url;
}

export function gatewayUrl({ env }: CliContext, given: string | undefined): string {
  return given ?? parseUrl(env["ALDIS_URL"] || DEFAULT_URL);
}

export const URL_HELP = `the gateway (default: ALDIS_URL or ${DEFAULT_URL})`;
