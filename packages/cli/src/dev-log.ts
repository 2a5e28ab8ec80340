import pc from "picocolors";
import { printable } from "./printable.ts";

const COLOURS: Readonly<Record<string, (text: string) => string>> = {
  debug: pc.dim,
  info: pc.green,
  warn: pc.yellow,
  error: pc.red,
};

/** A line of the gateway's log for people: time, what happened, and the rest as `name=value`, dim. One line in, one line out. */
export function devLogLine(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const label = String(level);
  const colour = COLOURS[label] ?? ((text: string) => text);
  const clock = new Date(Number(time)).toTimeString().slice(0, 8);
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${valueText(value)}`);
  const message = label === "debug" ? pc.dim(String(msg)) : String(msg);
  const error = err === undefined ? "" : `  ${errorText(err)}`;
  const rest = parts.length === 0 ? "" : `  ${pc.dim(printable(parts.join(" ")))}`;
  return `${pc.dim(clock)} ${colour(label.padEnd(5))} ${message}${rest}${error}`;
}

function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function errorText(err: unknown): string {
  const { type, message, stack } = err as { type?: string; message?: string; stack?: string[] };
  return printable([`${type}: ${message}`, ...(stack ?? []).slice(0, 2)].join(" "));
}
