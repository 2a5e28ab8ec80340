import type {
  ErrorBody,
  Json,
  PresenceBody,
  PublishBody,
  SendBody,
  WelcomeBody,
} from "@aldis/protocol";
import type { Client, ClientEvents, RequestOptions, SendOptions, Subscription } from "./api.ts";
import { fullJitterMs } from "./backoff.ts";
import { payloadOf } from "./bytes.ts";
import { ChannelSubscription } from "./channel-subscription.ts";
import type { Codec } from "./codec.ts";
import { Commands, type Patience } from "./commands.ts";
import { Connection } from "./connection.ts";
import { Emitter, type Listener } from "./emitter.ts";
import { type Environment, environmentOf } from "./environment.ts";
import { AldisError, errorOf } from "./errors.ts";
import type { Features, Used } from "./feature.ts";
import { Feeds } from "./feeds.ts";
import { commandFrame, type Frame, fitsFrame } from "./frames.ts";
import { Keys } from "./keys.ts";
import { type ClientOptions, resolveOptions } from "./options.ts";
import { abortable, type Settle } from "./outcome.ts";
import { PublishQueue } from "./publish-queue.ts";
import { Refresher } from "./refresher.ts";
import type { ClientState, ConnectedState } from "./state.ts";
import { Handle } from "./subscription.ts";
import { Tokens } from "./tokens.ts";
import type {
  AnyChannels,
  DirectMessage,
  HistoryOptions,
  HistoryPage,
  PresenceOptions,
  PublishOptions,
  SubscribeOptions,
} from "./types.ts";

/** What a gateway takes until its `welcome` says so: the protocol's default (FR5). */
const FRAME_MAX_BYTES = 65_536;

/** Room for the envelope around a command's `data`. */
const ENVELOPE_BYTES = 64;

/** Room in `connect` for what stands beside session and positions. */
const TOKEN_BYTES = 17_000;

/**
 * Makes a client; nothing happens before `connect`. Throws an {@link AldisError} when the platform has
 * no WebSocket and none was given. See {@link Client} for `Channels`.
 */
export function createClient<
  Channels extends object = AnyChannels,
  F extends Features = Record<never, never>,
>(options: ClientOptions & { readonly use?: F | undefined }): Client<Channels> & Used<F> {
  const client: Client = new GatewayClient(options);
  // Declared channels only narrow what callers see: at run time all channels are alike.
  return client as unknown as Client<Channels> & Used<F>;
}

/** Puts the parts together; every part has its own file and knows none of the others. */
class GatewayClient implements Client {
  readonly #environment: Environment;
  readonly #codec: Codec | undefined;
  readonly #emitter: Emitter<ClientEvents>;
  readonly #connection: Connection;
  readonly #commands: Commands;
  readonly #feeds: Feeds;
  readonly #queue: PublishQueue;
  readonly #refresher: Refresher;
  readonly #keys: Keys;
  #session: string | undefined;
  #frameMaxBytes = FRAME_MAX_BYTES;
  #degraded = false;
  /** The channels whose positions stood in the last `connect`. */
  #told: ReadonlySet<string> = new Set();

  constructor(clientOptions: ClientOptions & { readonly use?: Features | undefined }) {
    const environment = environmentOf(clientOptions);
    const options = resolveOptions(clientOptions);
    const { clock } = environment;
    this.#environment = environment;
    this.#codec = options.codec;
    this.#emitter = new Emitter(environment.report);
    this.#keys = new Keys(environment.random);
    const tokens = new Tokens(clientOptions.token);
    const request = (action: string, data: object, settle: Settle<object>) => {
      this.#commands.issue({ action, json: JSON.stringify(data), patience: "now" }, settle);
    };
    const retryDelayMs = (tries: number, error: AldisError | undefined) =>
      (error?.retryAfterMs ?? 0) + fullJitterMs(options.backoff, tries, environment.random);
    const isConnected = () => this.#connection.state.name === "connected";
    this.#connection = new Connection({
      environment,
      options,
      tokens,
      hello: () => this.#hello(),
      onWelcome: (welcome) => this.#onWelcome(welcome),
      onFrame: (frame) => this.#onFrame(frame),
      ping: () => request("ping", {}, () => {}),
      onDown: () => this.#onDown(),
      onClosed: (cause) => this.#onClosed(cause),
      onState: (state) => this.#emitter.emit("state", state),
    });
    this.#commands = new Commands({
      clock,
      timeoutMs: options.commandTimeoutMs,
      pendingMax: options.publishQueueMax * 4,
      send: (frame) => this.#connection.send(frame),
      onTimeout: () => this.#connection.probe(),
    });
    this.#feeds = new Feeds({
      granted: (channel) => {
        const { handle, subscription } = this.#subscription(channel, {});
        return { handle, tell: () => this.#emitter.emit("granted", subscription) };
      },
      clock,
      request,
      retryDelayMs,
      isConnected,
      hasPublishOnItsWay: (channel) => this.#queue.isOnItsWay(channel),
    });
    this.#queue = new PublishQueue({
      clock,
      max: options.publishQueueMax,
      maxBytes: options.publishQueueMaxBytes,
      repeatMs: options.publishRepeatMs,
      isConnected,
      frameMaxBytes: () => this.#frameMaxBytes,
      frameBytes: (json, bytes) => this.#encodedBytes("publish", json) ?? bytes + ENVELOPE_BYTES,
      issue: (command, settle) => this.#commands.issue(command, settle),
      retryDelayMs,
      onPublished: (channel, body, entry) => this.#feeds.onPublished(channel, body, entry),
    });
    this.#refresher = new Refresher({
      environment,
      tokens,
      request,
      onError: (error) => this.#emitter.emit("error", error),
    });
    const nextKey = () => this.#keys.next();
    const tools = { clock, report: environment.report, nextKey, retryDelayMs };
    for (const [name, feature] of Object.entries(clientOptions.use ?? {})) {
      Object.assign(this, { [name]: feature(this, tools) });
    }
  }

  get state(): ClientState {
    return this.#connection.state;
  }

  connect(): void {
    this.#connection.connect();
  }

  close(): void {
    this.#connection.close(new AldisError("closed", "the client was closed"));
  }

  ready(options: RequestOptions = {}): Promise<ConnectedState> {
    return abortable(options.signal, (settle) => {
      const look = (state: ClientState) => {
        if (state.name === "connected") settle({ ok: true, value: state });
        if (state.name === "closed") settle({ ok: false, error: state.cause });
        if (state.name === "connected" || state.name === "closed") stop();
      };
      const stop = this.#emitter.on("state", look);
      look(this.state);
      return stop;
    });
  }

  on<K extends keyof ClientEvents>(name: K, listener: Listener<ClientEvents[K]>): () => void {
    return this.#emitter.on(name, listener);
  }

  subscribe(channel: string, options: SubscribeOptions = {}): Subscription {
    const { signal } = options;
    const { handle, subscription } = this.#subscription(channel, options);
    if (signal?.aborted) handle.end(undefined);
    else {
      const unsubscribe = () => subscription.unsubscribe();
      this.#feeds.add(handle);
      signal?.addEventListener("abort", unsubscribe, { once: true });
      handle.on("unsubscribed", () => signal?.removeEventListener("abort", unsubscribe));
    }
    return subscription;
  }

  #subscription(channel: string, options: SubscribeOptions) {
    const handle = new Handle(channel, options, {
      report: this.#environment.report,
      onError: (error) => this.#emitter.emit("error", error),
    });
    const subscription = new ChannelSubscription(
      {
        clock: this.#environment.clock,
        client: this,
        position: () => this.#feeds.position(channel),
        setPresence: (own, { signal }) => {
          this.#feeds.setPresence(channel, own);
          return this.#ask("presence", { channel, ...own }, { signal, patience: "repeat" });
        },
        tell: (action, data) => {
          this.#connection.send(commandFrame(action, undefined, JSON.stringify(data)));
        },
        unsubscribe: () => {
          this.#feeds.remove(handle);
          handle.end(undefined);
        },
      },
      handle,
    );
    return { handle, subscription };
  }

  publish(channel: string, data: unknown, options: PublishOptions = {}): Promise<PublishBody> {
    const { event, key, version, echo, signal, timeoutMs } = options;
    return abortable(signal, (settle) => {
      const closed = this.#closedError();
      if (closed !== undefined) {
        settle({ ok: false, error: closed });
        return () => {};
      }
      const idempotencyKey = options.idempotencyKey ?? this.#keys.next();
      const payload = payloadOf(data);
      if (JSON.stringify(payload) === "{}") {
        throw new AldisError("bad_request", "`data` must be something that JSON can say");
      }
      const json = JSON.stringify({
        channel,
        event,
        key,
        ...payload,
        idempotencyKey,
        version,
        echo,
      });
      const silent = echo === false;
      return this.#queue.add({ channel, json, silent, timeoutMs }, settle);
    });
  }

  send(
    to: { readonly user: string } | { readonly connection: string },
    data: unknown,
    options: SendOptions = {},
  ): Promise<SendBody> {
    const { event, urgent } = options;
    const body = { ...to, event, ...payloadOf(data), urgent };
    return this.#ask<SendBody>("send", body, { ...options, patience: "once" });
  }

  history(channel: string, options: HistoryOptions = {}): Promise<HistoryPage> {
    const { signal, ...page } = options;
    return this.#ask<HistoryPage>("history", { channel, ...page }, { signal, patience: "repeat" });
  }

  presence(channel: string, options: PresenceOptions = {}): Promise<PresenceBody> {
    const { signal, ...page } = options;
    return this.#ask<PresenceBody>(
      "presence",
      { channel, ...page },
      { signal, patience: "repeat" },
    );
  }

  async ping(options: RequestOptions = {}): Promise<number> {
    const { clock } = this.#environment;
    await this.ready(options);
    const startMs = clock.monotonicMs();
    await this.#ask("ping", {}, { ...options, patience: "now" });
    return clock.monotonicMs() - startMs;
  }

  request(action: string, data: object, options: RequestOptions = {}): Promise<object> {
    return this.#ask<object>(action, data, { ...options, patience: "once" });
  }

  #ask<T>(
    action: string,
    data: object,
    options: RequestOptions & { readonly patience: Patience },
  ): Promise<T> {
    return abortable<object>(options.signal, (settle) => {
      const json = JSON.stringify(data);
      const closed = this.#closedError();
      if (closed === undefined && this.#fits(action, json)) {
        return this.#commands.issue({ action, json, patience: options.patience }, settle);
      }
      const error = closed ?? new AldisError("too_large", "the command is over the frame limit");
      settle({ ok: false, error });
      return () => {};
    }) as Promise<T>;
  }

  #fits(action: string, json: string): boolean {
    const encoded = this.#encodedBytes(action, json);
    if (encoded !== undefined) return encoded <= this.#frameMaxBytes;
    return fitsFrame(json, this.#frameMaxBytes - 2 * ENVELOPE_BYTES);
  }

  /** Of a command's frame in a codec that is not JSON, where nothing shorter than encoding it tells. */
  #encodedBytes(action: string, json: string): number | undefined {
    return this.#codec?.encode(commandFrame(action, Number.MAX_SAFE_INTEGER, json)).byteLength;
  }

  #closedError(): AldisError | undefined {
    const { state } = this;
    return state.name === "closed" ? state.cause : undefined;
  }

  /**
   * Positions are told from the first `connect` on, so that the gateway does not have to find out what
   * came (SE4, SE5). Where they are too many for one frame a fresh session is opened, and every channel
   * recovers from its position by `subscribe`.
   */
  #hello(): object {
    const positions = this.#feeds.positions();
    this.#told = new Set();
    if (positions === undefined) return {};
    if (!fitsFrame(JSON.stringify(positions), this.#frameMaxBytes - TOKEN_BYTES)) return {};
    this.#told = new Set(Object.keys(positions));
    return { session: this.#session, positions };
  }

  #onWelcome(welcome: WelcomeBody): void {
    this.#setDegraded(false);
    this.#session = welcome.session;
    this.#frameMaxBytes = welcome.frameMaxBytes;
    this.#feeds.onWelcome(welcome, this.#told);
    this.#queue.flush();
    this.#commands.onConnected();
  }

  #setDegraded(degraded: boolean): void {
    if (degraded === this.#degraded) return;
    this.#degraded = degraded;
    this.#emitter.emit("degraded", degraded);
  }

  #onDown(): void {
    this.#refresher.stop();
    // Commands last: the others then know that what fails there is of the old connection.
    this.#feeds.onDown();
    this.#queue.onDown();
    this.#commands.onDown();
  }

  #onClosed(cause: AldisError): void {
    this.#session = undefined;
    this.#feeds.onClosed(cause);
    this.#queue.failAll(cause);
    this.#commands.failAll(cause);
  }

  #onFrame(frame: Frame): void {
    if (frame.id !== undefined) this.#commands.onReply(frame);
    else if (!this.#feeds.onPush(frame)) this.#onPush(frame);
  }

  #onPush({ action, data }: Frame): void {
    switch (action) {
      case "message":
        this.#emitter.emit("direct", data as DirectMessage);
        return;
      case "refresh":
        this.#refresher.start();
        return;
      case "reconnect":
        this.#connection.moveAfter((data as { afterMs?: number }).afterMs ?? 0);
        return;
      case "status":
        this.#setDegraded((data as { degraded?: unknown }).degraded === true);
        return;
      case "error":
        this.#emitter.emit("error", errorOf(data as ErrorBody));
        return;
      default:
        this.#emitter.emit("push", { action, data: data as Json });
    }
  }
}
