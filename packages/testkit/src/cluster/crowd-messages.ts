import type { ClientOptions } from "@aldis/client";
import type { Payload, Position, Verdict } from "../checker-types.ts";

/** What a process of a crowd is to do: one subscriber for each name, all of the default tenant. */
export type CrowdOrder = {
  readonly names: readonly string[];
  readonly channels: readonly string[];
  /** Of the nodes, which the process balances over by itself. */
  readonly ports: readonly number[];
  readonly sdk: Partial<Omit<ClientOptions, "url" | "token">>;
};

/** What one subscriber was told: subscriber and channel by their places in the order. */
export type CrowdNote =
  | {
      readonly kind: "stands";
      readonly who: number;
      readonly channel: number;
      readonly told: Verdict;
      readonly since: Position | undefined;
    }
  | {
      readonly kind: "message";
      readonly who: number;
      readonly channel: number;
      readonly offset: number;
      /** Its place among the payloads that this process has told of. */
      readonly payload: number;
      /** Unix milliseconds with fractions. */
      readonly atMs: number;
      /** The connection was there for a while: nothing of a resume. */
      readonly settled: boolean;
    };

/** What happened in a process of a crowd since it told last. */
export type CrowdReport = {
  /** Those that it tells of for the first time. */
  readonly payloads: readonly Payload[];
  readonly notes: readonly CrowdNote[];
  /** When connections were made, Unix milliseconds. */
  readonly connectedAtMs: readonly number[];
  /** How many are connected now. */
  readonly connected: number;
};

/** Since some fixed moment that all processes of a machine share, in milliseconds with fractions. */
export function sharedNowMs(): number {
  return performance.timeOrigin + performance.now();
}
