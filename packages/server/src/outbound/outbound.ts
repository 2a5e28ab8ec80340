// HTTP to where tenants and users say: every target is hostile.
/** A request of ours to somebody else's server. */
export type OutboundRequest = {
  readonly url: string;
  readonly method: "POST" | "GET";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** For all of it: name, connection, answer. */
  readonly timeoutMs: number;
  /** What is read of the answer's body; 0: nothing. Beyond it the answer is `failed: too_large`. */
  readonly answerMaxBytes: number;
  readonly signal?: AbortSignal;
};

export type OutboundOutcome =
  /** Any status, redirects too: they are not followed. Header names are in lower case. */
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
    }
  /** Not to be called, now or later: no URL of ours, or an address that is not of the open internet (SSRF) and not allowed. */
  | { readonly kind: "refused"; readonly why: "url" | "address" }
  /** `sent`: it may have reached the other side. */
  | {
      readonly kind: "failed";
      readonly why: "name" | "connect" | "tls" | "timeout" | "cut" | "too_large" | "aborted";
      readonly sent: boolean;
    };

/** Connections are kept for the next request to the same server. */
export type Outbound = {
  /** Never rejects. */
  send(request: OutboundRequest): Promise<OutboundOutcome>;
  /** What would be refused by its looks, without asking a name server: for whoever stores a URL. Undefined: nothing. */
  problemOf(url: string): string | undefined;
};
