import { randomInt } from "node:crypto";
import type { Config } from "../config/schema.ts";
import type { Counters } from "../observe/counters.ts";
import type { Clock } from "../time/clock.ts";
import { type ChannelRates, createChannelRates } from "./channel-rates.ts";
import { type ClientAddress, createClientAddress } from "./client-address.ts";
import { type ConnectionAttempts, createConnectionAttempts } from "./connection-attempts.ts";
import { createKeyGuesses, type KeyGuesses } from "./key-guesses.ts";
import { createSessionRates, type SessionRates } from "./session-rates.ts";

/** The limits of a gateway that belong to no single connection. */
export type Limits = {
  readonly clientAddress: ClientAddress;
  readonly attempts: ConnectionAttempts | undefined;
  readonly keyGuesses: KeyGuesses;
  readonly session: SessionRates;
  readonly channels: ChannelRates;
};

export function createLimits(
  { clock, counters }: { readonly clock: Clock; readonly counters: Counters },
  { limits, listen }: Pick<Config, "limits" | "listen">,
): Limits {
  const onForgotten = (count: number) => {
    counters.bucketsForgotten += count;
  };
  const seed = randomInt(2 ** 32);
  return {
    clientAddress: createClientAddress(listen.trustedProxies),
    attempts: createConnectionAttempts({ clock, onForgotten }, limits),
    keyGuesses: createKeyGuesses({ clock, seed, onForgotten }, limits),
    session: createSessionRates(limits, onForgotten),
    channels: createChannelRates({ clock, onForgotten }, limits.bucketsMax),
  };
}
