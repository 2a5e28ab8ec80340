import type { Broker } from "../broker/broker.ts";
import type { ChannelKey } from "../tenant/tenant.ts";

/** What a feature does with a signal of its own. */
export type SignalHandler = (key: ChannelKey, body: string) => void;

/**
 * How features tell each other, on all nodes that have somebody in a channel, what is not worth keeping. The broker moves it; a
 * feature of another version that is not known here is passed over.
 */
export class Signals {
  readonly #broker: Pick<Broker, "signal">;
  readonly #handlers = new Map<string, SignalHandler>();

  constructor(broker: Pick<Broker, "signal">) {
    this.#broker = broker;
  }

  /** `feature` has no spaces. One handler each. */
  on(feature: string, handler: SignalHandler): void {
    this.#handlers.set(feature, handler);
  }

  send(key: ChannelKey, feature: string, body: string): void {
    this.#broker.signal(key, feature, body);
  }

  /** A signal has come from the broker. */
  deliver(key: ChannelKey, feature: string, body: string): void {
    this.#handlers.get(feature)?.(key, body);
  }
}
