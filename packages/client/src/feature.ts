import type { Client } from "./api.ts";
import type { Clock } from "./environment.ts";
import type { AldisError } from "./errors.ts";

/** What the client lends to what is built on it. */
export type FeatureTools = {
  readonly clock: Clock;
  /** Where errors of the application's listeners go. */
  readonly report: (error: unknown) => void;
  /** An idempotency key that no other call of this client has. */
  nextKey(): string;
  /** How long to wait before try `tries + 1` of something that was refused for now. */
  retryDelayMs(tries: number, error: AldisError | undefined): number;
};

/** Something built on the client's public calls alone, such as chat; given to `createClient` as `use`. */
export type Feature<F> = (client: Client, tools: FeatureTools) => F;

// biome-ignore lint/suspicious/noExplicitAny: what a feature is shows in the type of the client that uses it
export type Features = Readonly<Record<string, Feature<any>>>;

/** What the client has by the features that it uses: `{ chat }` adds `client.chat`. */
export type Used<F extends Features> = { readonly [N in keyof F]: ReturnType<F[N]> };
