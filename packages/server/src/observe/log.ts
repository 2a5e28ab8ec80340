import { pino } from "pino";
import { describeError } from "./describe-error.ts";

/** What the gateway logs through. Never give it a token, an email or the content of a message (P7). */
export type Log = {
  /** Whether such lines are written at all; it does not change. */
  isLevelEnabled(level: "debug"): boolean;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** Names that must not be logged, should somebody do it all the same one day: the rule above is the guard, this is the net below it. */
const SECRET_NAMES = [
  ...["token", "session", "authorization", "cookie", "key", "apiKey", "secret", "jwtSecret"],
  ...[
    "email",
    "name",
    "user",
    "userId",
    "avatar",
    "claims",
    "data",
    "body",
    "text",
    "query",
    "frame",
  ],
];

/**
 * One JSON object a line, to `write`: whatever a value contains, JSON keeps it within its line (faults 31). Errors under `err` are
 * told without what they quote.
 */
export function createLog(level: string, write: (line: string) => void): Log {
  return pino(
    {
      level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: {
        paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`]),
        censor: "[redacted]",
      },
    },
    { write },
  );
}
