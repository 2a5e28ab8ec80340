import type { WirePublication } from "@aldis/protocol";
import { Emitter, type Listener } from "./emitter.ts";
import { AldisError } from "./errors.ts";
import { type Deferred, deferred } from "./outcome.ts";
import type { Message, Subscribed, SubscribeOptions, SubscriptionEvents } from "./types.ts";

type State =
  | { readonly name: "pending" }
  | { readonly name: "subscribed" }
  | { readonly name: "ended" };

/** What one `subscribe` call gave its caller: listeners, over a feed that others may share. */
export class Handle {
  readonly channel: string;
  readonly options: SubscribeOptions;
  readonly #emitter: Emitter<SubscriptionEvents>;
  readonly #onError: (error: AldisError) => void;
  #ready: Deferred<Subscribed> = deferred();
  #state: State = { name: "pending" };

  constructor(
    channel: string,
    options: SubscribeOptions,
    deps: { report(error: unknown): void; onError(error: AldisError): void },
  ) {
    this.channel = channel;
    this.options = options;
    this.#emitter = new Emitter(deps.report);
    this.#onError = deps.onError;
  }

  get state(): State["name"] {
    return this.#state.name;
  }

  get ready(): Promise<Subscribed> {
    return this.#ready.promise;
  }

  on<K extends keyof SubscriptionEvents>(
    name: K,
    listener: Listener<SubscriptionEvents[K]>,
  ): () => void {
    return this.#emitter.on(name, listener);
  }

  onSubscribed(subscribed: Subscribed): void {
    if (this.#state.name === "ended") return;
    this.#state = { name: "subscribed" };
    this.#ready.resolve(subscribed);
    this.#emitter.emit("subscribed", subscribed);
  }

  onMessage(publication: WirePublication): void {
    this.emit("message", publication as Message);
  }

  emit<K extends keyof SubscriptionEvents>(name: K, event: SubscriptionEvents[K]): void {
    if (this.#state.name !== "ended") this.#emitter.emit(name, event);
  }

  /** Refused for now. An error that no listener here takes goes to the client's. */
  onRefused(error: AldisError): void {
    if (this.#emitter.has("error")) this.#emitter.emit("error", error);
    else this.#onError(error);
  }

  /** The connection is gone: not up to date until it is subscribed again. */
  onDown(): void {
    if (this.#state.name === "subscribed") this.#state = { name: "pending" };
  }

  /** The client was closed: nobody shall wait for it. After another `connect` it goes on. */
  onClosed(error: AldisError): void {
    this.onDown();
    this.#ready.reject(error);
    this.#ready = deferred();
  }

  end(error: AldisError | undefined): void {
    if (this.#state.name === "ended") return;
    this.#state = { name: "ended" };
    this.#ready.reject(error ?? new AldisError("closed", "unsubscribed"));
    if (error !== undefined) this.onRefused(error);
    this.#emitter.emit("unsubscribed", { error });
  }
}
