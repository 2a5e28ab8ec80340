import { pino } from "pino";

/** What the gateway logs through. Never give it a token, an email or the content of a message (P7). */
export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** One JSON object a line, to `write`. */
export function createLog(level: string, write: (line: string) => void): Log {
  return pino({ level, base: null }, { write });
}
