import { misuse } from "./errors.ts";

/** `fetch`, as far as it is used here. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export type BackendOptions = {
  /** Where the gateway is: `https://realtime.example.com`, with a path perhaps. */
  readonly url: string | URL;
  /** An API key. It is a secret: never in a browser. */
  readonly apiKey: string;
  /** For keys with the scope `tenants`: the tenant to act for. Others act for their own. */
  readonly tenant?: string | undefined;
  /** In place of the runtime's own. */
  readonly fetch?: Fetch | undefined;
  /** How long one attempt may take, milliseconds; 10,000 unless given. */
  readonly timeoutMs?: number | undefined;
  /** How long a call may take with all its attempts and pauses, milliseconds; 30,000 unless given. */
  readonly deadlineMs?: number | undefined;
  /** How often a call is tried again after a temporary failure; 3 unless given. */
  readonly retries?: number | undefined;
};

/** What each call may say for itself. */
export type CallOptions = {
  /** Ends the call: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly deadlineMs?: number | undefined;
  readonly retries?: number | undefined;
};

export type Settings = {
  /** Without a slash at the end. */
  readonly base: string;
  readonly apiKey: string;
  readonly tenant: string | undefined;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  readonly retries: number;
};

/** Throws an `AldisError` when an option cannot be used. */
export function settingsOf(options: BackendOptions): Settings {
  const { apiKey, tenant, timeoutMs = 10_000, deadlineMs = 30_000, retries = 3 } = options;
  // A header would be refused with a message that repeats it; a variable that is not set would be sent as the key `undefined`.
  if (!isWord(apiKey)) throw misuse("`apiKey` must be printable ASCII, not empty");
  if (tenant !== undefined && !isWord(tenant)) throw misuse("`tenant` is no id");
  checkLimits({ timeoutMs, deadlineMs, retries });
  // Looked up at each call, so that what replaces it later, an instrumentation say, is used.
  const call: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  return { base: baseOf(options.url), apiKey, tenant, fetch: call, timeoutMs, deadlineMs, retries };
}

function isWord(given: unknown): boolean {
  return typeof given === "string" && /^[\x21-\x7e]+$/.test(given);
}

type Limits = Pick<Settings, "timeoutMs" | "deadlineMs" | "retries">;

function checkLimits(limits: Limits): void {
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value !== "number" || !(value >= 0)) {
      throw misuse(`\`${name}\` must be a number, 0 or more`);
    }
  }
}

/** Of a call: its own, or else those of all. Throws an `AldisError` when one cannot be used. */
export function limitsOf(options: CallOptions, settings: Settings): Limits {
  const { timeoutMs, deadlineMs, retries } = settings;
  const limits = {
    timeoutMs: options.timeoutMs ?? timeoutMs,
    deadlineMs: options.deadlineMs ?? deadlineMs,
    retries: options.retries ?? retries,
  };
  checkLimits(limits);
  return limits;
}

function baseOf(given: string | URL): string {
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw misuse("`url` must be one, such as `https://realtime.example.com`");
  }
  if (!/^https?:$/.test(url.protocol)) throw misuse("`url` must begin with http:// or https://");
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

const CALL_OPTIONS = ["signal", "timeoutMs", "deadlineMs", "retries"] as const;

/** Fields of a request and options of the call, which come as one object. */
export function split<T extends CallOptions>(
  given: T,
): { readonly fields: Omit<T, keyof CallOptions>; readonly options: CallOptions } {
  const fields: Record<string, unknown> = { ...given };
  const options: Record<string, unknown> = {};
  for (const name of CALL_OPTIONS) {
    if (given[name] !== undefined) options[name] = given[name];
    delete fields[name];
  }
  return { fields: fields as Omit<T, keyof CallOptions>, options: options as CallOptions };
}
