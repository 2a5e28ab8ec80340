import type { StreamPosition } from "@aldis/protocol";
import type { Client, RequestOptions, Subscription } from "./api.ts";
import type { Listener } from "./emitter.ts";
import type { Clock } from "./environment.ts";
import type { Handle } from "./subscription.ts";
import type {
  AnyEvents,
  HistoryOptions,
  OwnPresence,
  PresenceOptions,
  PublishArgs,
  SubscriptionEvents,
} from "./types.ts";

export type ChannelSubscriptionDeps = {
  readonly clock: Clock;
  readonly client: Client;
  position(): StreamPosition | undefined;
  setPresence(own: OwnPresence, options: RequestOptions): Promise<unknown>;
  /** Sends a command that asks for no answer; dropped without a connection. */
  tell(action: string, data: object): void;
  unsubscribe(): void;
};

/** `typing: true` is repeated this often: the gateway forgets it after 5 s (TY2). */
const TYPING_REPEAT_MS = 3_000;

/** A subscription as the application has it: its own {@link Handle}, and its channel's calls on the client. */
export class ChannelSubscription implements Subscription {
  readonly #deps: ChannelSubscriptionDeps;
  readonly #handle: Handle;
  #typingUntilMs = 0;

  constructor(deps: ChannelSubscriptionDeps, handle: Handle) {
    this.#deps = deps;
    this.#handle = handle;
  }

  get channel() {
    return this.#handle.channel;
  }

  get state() {
    return this.#handle.state;
  }

  get ready() {
    return this.#handle.ready;
  }

  get position() {
    return this.#deps.position();
  }

  on<K extends keyof SubscriptionEvents>(name: K, listener: Listener<SubscriptionEvents[K]>) {
    return this.#handle.on(name, listener);
  }

  publish(...args: PublishArgs<AnyEvents>) {
    return this.#deps.client.publish(this.channel, ...args);
  }

  history(options?: HistoryOptions) {
    return this.#deps.client.history(this.channel, options);
  }

  presence(options?: PresenceOptions) {
    return this.#deps.client.presence(this.channel, options);
  }

  async setPresence({ status, data }: OwnPresence, options: RequestOptions = {}): Promise<void> {
    const own: OwnPresence = {
      ...(status === undefined ? {} : { status }),
      ...(data === undefined ? {} : { data }),
    };
    await this.#deps.setPresence(own, options);
  }

  typing(typing: boolean): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (typing && nowMs < this.#typingUntilMs) return;
    this.#typingUntilMs = typing ? nowMs + TYPING_REPEAT_MS : 0;
    this.#deps.tell("typing", { channel: this.channel, typing });
  }

  unsubscribe(): void {
    this.#deps.unsubscribe();
  }
}
