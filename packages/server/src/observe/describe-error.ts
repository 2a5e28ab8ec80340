/** An error as it may be logged. */
export type DescribedError = {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  /** Where it came from: places in the code, without the message that engines put before them. */
  readonly stack: readonly string[];
  readonly cause?: DescribedError;
};

const MESSAGE_MAX = 300;
const STACK_MAX = 12;
const CAUSES_MAX = 3;

/**
 * An error for the log. Attack: input that breaks something ends up in an error's message (`JSON.parse` quotes what it could not
 * read), and so tokens, e-mail addresses and messages in the log. What parsers say is left out, what others quote is too; fields that
 * an error carries besides are never looked at.
 */
export function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: "", stack: [] };
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return {
    type: safeName(error.name),
    ...(typeof code === "string" && { code: safeName(code) }),
    message: quotesInput(error) ? "" : withoutQuotes(error.message),
    stack: places(error),
    ...(cause !== undefined && depth < CAUSES_MAX && { cause: describeError(cause, depth + 1) }),
  };
}

/** Their messages are about their input, quoted or not. */
function quotesInput(error: Error): boolean {
  return error instanceof SyntaxError || error instanceof URIError || error.name === "ZodError";
}

/** Quoted text, addresses, and long runs without a space, which are tokens, keys or Base64. */
const QUOTED = /"[^"]*"?|'[^']*'?|`[^`]*`?|\S+@\S+|[\w+/=.-]{24,}/g;

function withoutQuotes(message: string): string {
  return message.slice(0, MESSAGE_MAX).replace(QUOTED, "…");
}

function safeName(name: string): string {
  return /^[A-Za-z_]\w{0,63}$/.test(name) ? name : "Error";
}

/** `    at fanOut (…/hub/fan-out.ts:12:3)`; a message may hold lines that look so, and is cut off first. */
function places(error: Error): string[] {
  const { stack = "", message } = error;
  const start = message === "" ? -1 : stack.indexOf(message);
  const after = start < 0 ? stack : stack.slice(start + message.length);
  return after
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at "))
    .slice(0, STACK_MAX);
}
