// HTTP to where tenants and users say: every target is hostile.
/** A request of ours to somebody else's server. */
export type OutboundRequest = {
  /** `https:`, of any server of the open internet; `http:` and private addresses only where the operator allows the target (`outbound.allowPrivate`). */
  readonly url: string;
  readonly method: "POST" | "GET";
  /** None of those that are the connection's own: `host`, `content-length`, `connection` and the like. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** For all of it: waiting for a turn, name, connection, answer. Not above `outbound.timeoutMs`. */
  readonly timeoutMs: number;
  /** What is read of the answer's body; 0: nothing, and it is told when the rest was let pass, or was cut off after a second. Beyond it the answer is `failed: too_large`. */
  readonly answerMaxBytes: number;
  readonly signal?: AbortSignal;
};

export type OutboundOutcome =
  /** Any status, redirects too: they are not followed. Header names are in lower case. The body is as it came: nothing is unpacked. */
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
    }
  /** Not to be called, now or later: no URL of ours, an address that is not of the open internet (SSRF) and not allowed, or headers that no request has. */
  | { readonly kind: "refused"; readonly why: "url" | "address" | "headers" }
  /** `sent`: it may have reached the other side. `busy`: too many requests wait already. */
  | {
      readonly kind: "failed";
      readonly why:
        | "busy"
        | "name"
        | "connect"
        | "tls"
        | "timeout"
        | "cut"
        | "too_large"
        | "aborted";
      readonly sent: boolean;
    };

/** Connections are kept for the next request to the same server. */
export type Outbound = {
  /** Never rejects. */
  send(request: OutboundRequest): Promise<OutboundOutcome>;
  /** What would be refused by its looks, without asking a name server: for whoever stores a URL. Undefined: nothing. */
  problemOf(url: string): string | undefined;
};

/** The one client of a node, shared by all who call. */
export type OutboundClient = {
  /** What is sent by it is counted under `purpose`, which is one of a fixed few. */
  for(purpose: string): Outbound;
  /** Requests that have no answer yet. */
  readonly waiting: number;
  /** What is under way fails as `aborted`. Idempotent. */
  close(): void;
};
