import type { Refusal } from "@aldis/protocol";
import { ERRORS, refuse } from "@aldis/protocol";
import { type Counters, countPair } from "../../observe/counters.ts";
import type { Log } from "../../observe/log.ts";
import { Unavailable } from "../../unavailable.ts";

/** It took longer than it may. */
export class TooSlow extends Error {
  override readonly name = "TooSlow";
}

/** Where faults of one plugin are noted: what it breaks is told with its name, and harms nobody else. */
export class PluginFaults {
  readonly #name: string;
  readonly #deps: { readonly counters: Counters; readonly log: Log };

  constructor(name: string, deps: { readonly counters: Counters; readonly log: Log }) {
    this.#name = name;
    this.#deps = deps;
  }

  /** `where` is one of a fixed few: `action vote`, `hook publishing`. */
  note(where: string, error: unknown): void {
    const { counters, log } = this.#deps;
    countPair(counters.pluginFaults, this.#name, where);
    log.error({ err: error }, `plugin ${this.#name} failed in ${where}`);
  }

  /** What the caller is told of something that a plugin threw; a fault is noted. */
  refusalOf(where: string, error: unknown): Refusal {
    const refusal = refusalIn(error);
    if (refusal !== undefined) return refusal;
    if (isUnavailable(error)) return refuse("unavailable", "try again");
    this.note(where, error);
    if (error instanceof TooSlow) return refuse("unavailable", "it took too long: try again");
    return refuse("internal", "a fault of the gateway");
  }
}

/**
 * The refusal in what `refusal` makes, by its shape: a plugin may have been loaded with a copy of the protocol of its own, and what it
 * refuses with is checked like all that comes from it.
 */
export function refusalIn(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || !("refusal" in error)) return undefined;
  const { refusal } = error;
  if (typeof refusal !== "object" || refusal === null) return undefined;
  const { error: code, message, retryAfterMs } = refusal as Partial<Refusal>;
  if (typeof code !== "string" || !Object.hasOwn(ERRORS, code)) return undefined;
  if (typeof message !== "string") return undefined;
  const plain = refuse(code, message);
  return typeof retryAfterMs === "number" ? { ...plain, retryAfterMs } : plain;
}

/** By its name, too: a plugin may have been loaded with a copy of the class. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof Unavailable || (error instanceof Error && error.name === "Unavailable");
}
