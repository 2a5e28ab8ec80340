import { AldisError } from "./errors.ts";

/**
 * A token, or the function that fetches one: called for the first connection, when the last token is
 * about to end or was refused, and when the gateway asks for a new one. What it throws is retried with
 * backoff, except an {@link AldisError} that is not `temporary`, which closes the client.
 */
export type TokenOption = string | ((context: TokenContext) => string | Promise<string>);

export type TokenContext = {
  /** Aborted when the client is closed or gives up waiting. */
  readonly signal: AbortSignal;
};

/** A token that ends within this time is not used for a new connection, milliseconds. */
const MARGIN_MS = 5_000;

/** The current token of one client. */
export class Tokens {
  readonly #option: TokenOption | undefined;
  #current: string | undefined;
  #expiresAtMs = Number.POSITIVE_INFINITY;
  #refused: string | undefined;

  constructor(option: TokenOption | undefined) {
    this.#option = option;
  }

  /** True when a refused token can be replaced. */
  get renewable(): boolean {
    return typeof this.#option === "function";
  }

  /** The one to connect with: the last one while it holds, else a fetched one; undefined: anonymous. */
  async get(nowMs: number, signal: AbortSignal): Promise<string | undefined> {
    if (typeof this.#option !== "function") return this.#option;
    if (this.#current !== undefined && nowMs < this.#expiresAtMs - MARGIN_MS) return this.#current;
    return await this.fetch(signal);
  }

  /** A fresh one. Rejects when the function fails or gives again what was refused (CL1). */
  async fetch(signal: AbortSignal): Promise<string> {
    if (typeof this.#option !== "function") {
      throw new AldisError("token_failed", "there is no function to fetch a token with");
    }
    let token: string;
    try {
      token = await this.#option({ signal });
    } catch (cause) {
      if (cause instanceof AldisError) throw cause;
      throw new AldisError("token_failed", `the token function failed: ${String(cause)}`, {
        temporary: true,
        cause,
      });
    }
    if (token === this.#refused) {
      throw new AldisError("unauthorized", "the token function gave the refused token again", {
        temporary: true,
      });
    }
    this.#current = token;
    this.#expiresAtMs = Number.POSITIVE_INFINITY;
    return token;
  }

  /** The gateway took the current one. */
  accepted(expiresAtMs: number | undefined): void {
    this.#expiresAtMs = expiresAtMs ?? Number.POSITIVE_INFINITY;
    this.#refused = undefined;
  }

  /** The gateway refused the current one. */
  refuse(): void {
    this.#refused = this.#current;
    this.#current = undefined;
  }
}
