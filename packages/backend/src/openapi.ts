// Made of the gateway's OpenAPI document by `bun scripts/openapi-types.ts`; a test compares the two. Not to be edited.

interface components {
  schemas: {
    BatchCommand:
      | {
          publish: components["schemas"]["Publish"];
        }
      | {
          broadcast: components["schemas"]["Broadcast"];
        }
      | {
          send: {
            /** A user, as the `sub` of their token says. */
            user?: string;
            /** A connection, as `welcome` told it. */
            connection?: string;
            /** What kind of message it is. */
            event?: string | null;
            /** Any JSON value. */
            data?: unknown;
            /** Bytes in place of `data`, as padded base64. */
            base64?: string;
            /** Overtakes what waits for a slow client (DM3). */
            urgent?: boolean | null;
          };
        }
      | {
          subscribe: {
            /** A user, as the `sub` of their token says. */
            user?: string;
            /** A connection, as `welcome` told it. */
            connection?: string;
            channel: components["schemas"]["ChannelName"];
          };
        }
      | {
          unsubscribe: {
            /** A user, as the `sub` of their token says. */
            user?: string;
            /** A connection, as `welcome` told it. */
            connection?: string;
            channel: components["schemas"]["ChannelName"];
          };
        }
      | {
          disconnect: {
            /** A user, as the `sub` of their token says. */
            user?: string;
            /** A connection, as `welcome` told it. */
            connection?: string;
            /** Told to the client with the close code; at most 123 bytes. */
            reason?: string | null;
            /** True: close with 4011, after which clients come back; else with 4502, after which they do not. */
            reconnect?: boolean | null;
          };
        }
      | {
          refresh: components["schemas"]["Refresh"];
        };
    Publish: {
      channel: components["schemas"]["ChannelName"];
      /** What kind of message it is. */
      event?: string | null;
      /** What the message is the latest value of, for subscribers that fall behind (BP4). */
      key?: string | null;
      /** Any JSON value. */
      data?: unknown;
      /** Bytes in place of `data`, as padded base64. */
      base64?: string;
      /** A repeated publish with the same key publishes nothing and gets the first one's answer (PB2). */
      idempotencyKey?: string | null;
      /** Published only if greater than the channel's latest version (PB3). */
      version?: number | null;
    };
    /** A channel: `namespace:rest`, or a name without a colon (CN1). */
    ChannelName: string;
    Broadcast: {
      channels: components["schemas"]["ChannelName"][];
      /** What kind of message it is. */
      event?: string | null;
      /** What the message is the latest value of, for subscribers that fall behind (BP4). */
      key?: string | null;
      /** Any JSON value. */
      data?: unknown;
      /** Bytes in place of `data`, as padded base64. */
      base64?: string;
      /** A repeated publish with the same key publishes nothing and gets the first one's answer (PB2). */
      idempotencyKey?: string | null;
      /** Published only if greater than the channel's latest version (PB3). */
      version?: number | null;
    };
    Refresh: {
      /** A user, as the `sub` of their token says. */
      user?: string;
      /** A connection, as `welcome` told it. */
      connection?: string;
      /** How long the client has, in milliseconds; `auth.refreshBeforeMs` unless given. */
      withinMs?: number | null;
    };
    Published: {
      /** A place in the channel: 1 is the first publication, 0 the place before it. */
      offset: number;
      /** Changes when the channel's history was lost and offsets begin anew. */
      epoch: string;
      /**
       * The idempotency key was seen before: this is the first publish's answer.
       */
      duplicate?: true;
      /**
       * A newer `version` is there already: nothing was published.
       */
      suppressed?: true;
    };
    Error: {
      error: components["schemas"]["ErrorBody"];
    };
    ErrorBody: {
      code:
        | "bad_frame"
        | "bad_request"
        | "bad_channel"
        | "unknown_action"
        | "not_found"
        | "method_not_allowed"
        | "unauthorized"
        | "forbidden"
        | "not_subscribed"
        | "conflict"
        | "position_lost"
        | "too_large"
        | "unsupported_media"
        | "limit_reached"
        | "quota_exceeded"
        | "rate_limited"
        | "unavailable"
        | "internal";
      /** For developers; its wording may change. */
      message: string;
      /** The same request may succeed later. */
      temporary: boolean;
      /** How long to wait before it makes sense. */
      retryAfterMs?: number;
    };
    BatchResults: {
      /** One for each command, in order: what its route answers. */
      results: (
        | components["schemas"]["Published"]
        | components["schemas"]["Broadcasted"]
        | components["schemas"]["Delivered"]
        | components["schemas"]["Touched"]
        | components["schemas"]["Error"]
      )[];
    };
    Broadcasted: {
      /** One for each channel, in order. */
      results: (
        | {
            channel: components["schemas"]["ChannelName"];
            /** A place in the channel: 1 is the first publication, 0 the place before it. */
            offset: number;
            /** Changes when the channel's history was lost and offsets begin anew. */
            epoch: string;
            /**
             * The idempotency key was seen before: this is the first publish's answer.
             */
            duplicate?: true;
            /**
             * A newer `version` is there already: nothing was published.
             */
            suppressed?: true;
          }
        | {
            channel: components["schemas"]["ChannelName"];
            error: components["schemas"]["ErrorBody"];
          }
      )[];
    };
    Delivered: {
      /** Connections handed the message. */
      delivered: number;
      /** Nodes of the cluster that did not answer in time, so that what they have is not in this; absent when all did. */
      missing?: string[];
    };
    Touched: {
      /** Connections it was done to. */
      connections: number;
      /** Nodes of the cluster that did not answer in time, so that what they have is not in this; absent when all did. */
      missing?: string[];
    };
    Batch: {
      commands: components["schemas"]["BatchCommand"][];
    };
    Send: {
      /** What kind of message it is. */
      event?: string | null;
      /** Any JSON value. */
      data?: unknown;
      /** Bytes in place of `data`, as padded base64. */
      base64?: string;
      /** Overtakes what waits for a slow client (DM3). */
      urgent?: boolean | null;
    };
    ChannelOnly: {
      channel: components["schemas"]["ChannelName"];
    };
    Disconnect: {
      /** Told to the client with the close code; at most 123 bytes. */
      reason?: string | null;
      /** True: close with 4011, after which clients come back; else with 4502, after which they do not. */
      reconnect?: boolean | null;
    };
    ChannelEntry: {
      channel: components["schemas"]["ChannelName"];
      /** Subscriptions, on all nodes together. */
      subscribers: number;
      /** Users who are present; absent where the namespace keeps no presence, or it cannot be asked now. */
      users?: number;
      /** A place in the channel: 1 is the first publication, 0 the place before it. */
      offset: number;
      /** Changes when the channel's history was lost and offsets begin anew. */
      epoch: string;
    };
    HistoryPage: {
      channel: components["schemas"]["ChannelName"];
      publications: components["schemas"]["Publication"][];
      /** A place in the channel: 1 is the first publication, 0 the place before it. */
      offset: number;
      /** Changes when the channel's history was lost and offsets begin anew. */
      epoch: string;
      /** The page ended before the history did. */
      more: boolean;
    };
    Publication: {
      channel: components["schemas"]["ChannelName"];
      /** A place in the channel: 1 is the first publication, 0 the place before it. */
      offset: number;
      /** When it was published, Unix milliseconds. */
      at: number;
      /** What kind of message it is. */
      event?: string;
      key?: string;
      /** The client that published; absent for backends. */
      from?: {
        /** A user, as the `sub` of their token says. */
        user: string;
        /** A connection, as `welcome` told it. */
        connection: string;
      };
      /** Any JSON value. */
      data?: unknown;
      /** Bytes in place of `data`, as padded base64. */
      base64?: string;
    };
    PresencePage: {
      channel: components["schemas"]["ChannelName"];
      /** Users. */
      count: number;
      connections: number;
      users: components["schemas"]["PresentUser"][];
      /** The `cursor` of the next page; absent on the last one. */
      next?: string;
    };
    PresentUser: {
      /** A user, as the `sub` of their token says. */
      id: string;
      name?: string;
      avatar?: string;
      status?: string;
      data?: unknown;
      connections: number;
    };
    ConnectionEntry: {
      /** A connection, as `welcome` told it. */
      connection: string;
      /** Where it is connected. */
      node: string;
      /** A user, as the `sub` of their token says. */
      user: string;
      anonymous?: true;
      /** Unix milliseconds. */
      connectedAt: number;
      /** The peer's address, as its node sees it. */
      address?: string;
      /** What waits for the client to take it: more than 0 for long is a slow client. */
      waitingBytes: number;
      subscriptions: number;
    };
    ConnectionWithSubscriptions: {
      /** A connection, as `welcome` told it. */
      connection: string;
      /** Where it is connected. */
      node: string;
      /** A user, as the `sub` of their token says. */
      user: string;
      anonymous?: true;
      /** Unix milliseconds. */
      connectedAt: number;
      /** The peer's address, as its node sees it. */
      address?: string;
      /** What waits for the client to take it: more than 0 for long is a slow client. */
      waitingBytes: number;
      subscriptions: components["schemas"]["SubscriptionEntry"][];
    };
    SubscriptionEntry: {
      channel: string;
      /** A place in the channel: 1 is the first publication, 0 the place before it. */
      offset?: number;
      /** Changes when the channel's history was lost and offsets begin anew. */
      epoch?: string;
    };
    NamespaceInForce: {
      name: string;
      history?: {
        /** Publications kept per channel; 0 keeps none (publications). */
        size?: number;
        /** How long a publication is kept (ms). */
        ttlMs?: number;
        /** Bytes kept per channel; the oldest publications go first (bytes). */
        maxBytes?: number;
      };
      /** Keep track of who is in a channel. */
      presence?: boolean;
      /** Push joins, leaves and updates to subscribers. */
      joinLeave?: boolean;
      /** Never send a publication back to the connection that published it. */
      excludeSender?: boolean;
      /**
       * What happens when a subscriber reads too slowly, unless it asks for something else.
       */
      slowConsumer?: "close" | "drop-oldest" | "latest" | "catch-up";
      /** Allow subscriptions to patterns. */
      wildcard?: boolean;
      /** Latest publications sent to a new subscriber (publications). */
      lastOnSubscribe?: number;
      /** Largest `data` of one publication, as JSON (bytes). */
      messageMaxBytes?: number;
      rate?: {
        /** Publishes to one channel, by all together; 0: no limit (publishes a second). */
        publishesPerSecond?: number;
        /** How many of them may come at once (publishes). */
        burst?: number;
      };
      allow?: {
        /** Who may subscribe. */
        subscribe?: string[];
        /** Who may publish. */
        publish?: string[];
        /** Who may read history. */
        history?: string[];
        /** Who may read and set presence. */
        presence?: string[];
      };
    };
    Bearer: {
      /** A user, as the `sub` of their token says. */
      user: string;
      tenant: string;
      name?: string;
      email?: string;
      avatar?: string;
      /** Rights by channel or prefix, with `{userId}` filled in (RI2). */
      capabilities: {
        [key: string]: ("subscribe" | "publish" | "history" | "presence" | "send")[];
      };
      /** When the token ends, Unix milliseconds; absent: it does not. */
      expiresAt?: number;
    };
    TokenVerdict: {
      valid: boolean;
      /**
       * Why it is not valid. `expired` is told of tokens that were good once; all else is `refused`.
       */
      cause?: "expired" | "refused";
      /** When the token ends, Unix milliseconds; absent: it does not. */
      expiresAt?: number;
    };
    ClusterNode: {
      /** This life of the node: another one after each start. */
      id: string;
      /** `cluster.node`, or a random one. */
      name: string;
      version: string;
      /** Unix milliseconds, by its own clock. */
      startedAt: number;
      /**
       * `worker`: it works queues of background work and takes no clients. `gateway`: it takes clients and works none. `all`: both.
       */
      role: "all" | "gateway" | "worker";
      /** Queues that it works. */
      queues: string[];
      /** It moves its clients away. */
      draining: boolean;
      /** How long ago the node that answers has seen a heartbeat of it. */
      lastSeenMs: number;
      /**
       * The node that answers.
       */
      self?: true;
      load: {
        connections: number;
        /** Connections that it takes at most. */
        capacity: number;
        /** Connections that it lets in a second. */
        admitPerSecond: number;
        /** How late its event loop came round lately. */
        loopLagMs: number;
      };
    };
    ClientsMoved: {
      /** The node's id. */
      node: string;
      /** Connections that it concerns. */
      connections: number;
      /** Over how long they go, at the pace that the others can admit now. */
      windowMs: number;
    };
    UsageByDay: {
      from: string;
      to: string;
      /** What it is held to: its own, and else the configuration's. Absent: no limit. */
      quotas: {
        /** Connected sessions. */
        connections?: number;
        /** Messages that clients and backends send, a second. */
        messagesPerSecond?: number;
        /** Bytes of these, a second. */
        bytesPerSecond?: number;
        /** Channels with subscribers or history. */
        channels?: number;
        /** Publications that are kept for recovery, in bytes. */
        historyBytes?: number;
        /** Records, in bytes. */
        storeBytes?: number;
      };
      days: {
        day: string;
        /** Messages that clients and backends sent, as QU3 counts them. */
        messagesIn: number;
        /** Publications times the subscribers that were handed them. */
        messagesDelivered: number;
        /** Bytes of what clients and backends sent. */
        bytesIn: number;
        /** Bytes that were sent to clients. */
        bytesOut: number;
        /** Requests of backends and users over HTTP. */
        apiRequests: number;
        /** Requests to webhooks that were answered with 2xx. */
        webhookDeliveries: number;
        /** Questions to the tenant's backend that it answered (BC4). */
        backendCalls: number;
        /** What a quota refused. */
        refused: number;
        /** Of all connections together. */
        connectionMinutes: number;
        /** The most connections at a time, added up over processes: never too little. */
        connectionsPeak: number;
        /** Of records, as last counted on that day. */
        storeBytes?: number;
      }[];
    };
    Tenant: {
      id: components["schemas"]["TenantId"];
      /** What you call it. */
      name?: string;
      /**
       * `deleted`: what it had is being removed; afterwards there is no such tenant, until it is created anew.
       */
      status: "active" | "suspended" | "deleted";
      /** Its own; for those that are absent the configuration counts. */
      quotas: {
        /** Connected sessions. */
        connections?: number;
        /** Messages that clients and backends send, a second. */
        messagesPerSecond?: number;
        /** Bytes of these, a second. */
        bytesPerSecond?: number;
        /** Channels with subscribers or history. */
        channels?: number;
        /** Publications that are kept for recovery, in bytes. */
        historyBytes?: number;
        /** Records, in bytes. */
        storeBytes?: number;
      };
      /** What it is held to: its own, and else the configuration's. Absent: no limit. */
      quotasInForce?: {
        /** Connected sessions. */
        connections?: number;
        /** Messages that clients and backends send, a second. */
        messagesPerSecond?: number;
        /** Bytes of these, a second. */
        bytesPerSecond?: number;
        /** Channels with subscribers or history. */
        channels?: number;
        /** Publications that are kept for recovery, in bytes. */
        historyBytes?: number;
        /** Records, in bytes. */
        storeBytes?: number;
      };
      /**
       * The gateway's configuration names it: it cannot be suspended or deleted.
       */
      configured?: true;
      /** Unix milliseconds. */
      createdAt?: number;
      /** Unix milliseconds. */
      changedAt?: number;
      /** Of a deleted one, Unix milliseconds: not before this it can be created anew. */
      freeAt?: number;
    };
    /** A tenant: 1 to 64 letters, digits, `_` or `-`. */
    TenantId: string;
    QuotasChange: {
      /** Connected sessions. */
      connections?: number | null;
      /** Messages that clients and backends send, a second. */
      messagesPerSecond?: number | null;
      /** Bytes of these, a second. */
      bytesPerSecond?: number | null;
      /** Channels with subscribers or history. */
      channels?: number | null;
      /** Publications that are kept for recovery, in bytes. */
      historyBytes?: number | null;
      /** Records, in bytes. */
      storeBytes?: number | null;
    };
    MadeTenantKey: {
      id: string;
      /** What you call it. */
      name?: string;
      scopes: string[];
      /** Unix milliseconds. */
      createdAt: number;
      /** From then on nobody is let in by it. */
      expiresAt?: number;
      /** To about a minute; absent: never, as far as is known. */
      lastUsedAt?: number;
      /** The key itself: shown this once, and kept nowhere. */
      key: string;
    };
    TenantKey: {
      id: string;
      /** What you call it. */
      name?: string;
      scopes: string[];
      /** Unix milliseconds. */
      createdAt: number;
      /** From then on nobody is let in by it. */
      expiresAt?: number;
      /** To about a minute; absent: never, as far as is known. */
      lastUsedAt?: number;
    };
    MadeTokenSecret: {
      id: string;
      /** Unix milliseconds. */
      createdAt: number;
      /** When it ends; absent: it does not. */
      expiresAt?: number;
      /** The secret itself, shown this once: sign with HS256, by its bytes as UTF-8. */
      secret: string;
    };
    TokenSecret: {
      id: string;
      /** Unix milliseconds. */
      createdAt: number;
      /** When it ends; absent: it does not. */
      expiresAt?: number;
    };
    AuditEntry: {
      seq: number;
      /** Unix milliseconds. */
      at: number;
      /** The API key it was asked with: its id or place, and its name. */
      by: {
        key: string;
        name?: string;
        /**
         * An operator's, who acted for the tenant by `Aldis-Tenant`.
         */
        acting?: true;
      };
      action: string;
      tenant: string;
      /** What was changed, by its id. */
      subject: string;
      detail?: {
        [key: string]: unknown;
      };
    };
    Operations: {
      /** Publish to a channel. */
      postPublish: {
        body: components["schemas"]["Publish"];
        answer: components["schemas"]["Published"];
      };
      /** Do many things in one request. */
      postBatch: {
        body: components["schemas"]["Batch"];
        answer: components["schemas"]["BatchResults"];
      };
      /** Publish to many channels. */
      postBroadcast: {
        body: components["schemas"]["Broadcast"];
        answer: components["schemas"]["Broadcasted"];
      };
      /** Send to a user. */
      postUsersUserSend: {
        path: {
          /** A user, as the `sub` of their token says. */
          user: string;
        };
        body: components["schemas"]["Send"];
        answer: components["schemas"]["Delivered"];
      };
      /** Send to a connection. */
      postConnectionsConnectionSend: {
        path: {
          /** A connection, as `welcome` told it. */
          connection: string;
        };
        body: components["schemas"]["Send"];
        answer: components["schemas"]["Delivered"];
      };
      /** Subscribe a user. */
      postUsersUserSubscribe: {
        path: {
          /** A user, as the `sub` of their token says. */
          user: string;
        };
        body: components["schemas"]["ChannelOnly"];
        answer: components["schemas"]["Touched"];
      };
      /** Subscribe a connection. */
      postConnectionsConnectionSubscribe: {
        path: {
          /** A connection, as `welcome` told it. */
          connection: string;
        };
        body: components["schemas"]["ChannelOnly"];
        answer: components["schemas"]["Touched"];
      };
      /** Unsubscribe a user. */
      postUsersUserUnsubscribe: {
        path: {
          /** A user, as the `sub` of their token says. */
          user: string;
        };
        body: components["schemas"]["ChannelOnly"];
        answer: components["schemas"]["Touched"];
      };
      /** Unsubscribe a connection. */
      postConnectionsConnectionUnsubscribe: {
        path: {
          /** A connection, as `welcome` told it. */
          connection: string;
        };
        body: components["schemas"]["ChannelOnly"];
        answer: components["schemas"]["Touched"];
      };
      /** Disconnect a user. */
      postUsersUserDisconnect: {
        path: {
          /** A user, as the `sub` of their token says. */
          user: string;
        };
        body: components["schemas"]["Disconnect"];
        answer: components["schemas"]["Touched"];
      };
      /** Disconnect a connection. */
      postConnectionsConnectionDisconnect: {
        path: {
          /** A connection, as `welcome` told it. */
          connection: string;
        };
        body: components["schemas"]["Disconnect"];
        answer: components["schemas"]["Touched"];
      };
      /** Ask for a new token. */
      postRefresh: {
        body: components["schemas"]["Refresh"];
        answer: components["schemas"]["Touched"];
      };
      /** List channels. */
      getChannels: {
        query?: {
          /** Only channels that begin with it. */
          prefix?: string;
          /** How many at most; 50 unless asked. */
          limit?: number;
          /** Where the page starts: `next` of the one before, unchanged. */
          cursor?: string;
        };
        answer: {
          channels: components["schemas"]["ChannelEntry"][];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
          /** Nodes of the cluster that did not answer in time, so that what they have is not in this; absent when all did. */
          missing?: string[];
        };
      };
      /** Read a channel's history. */
      getChannelsChannelHistory: {
        path: {
          channel: components["schemas"]["ChannelName"];
        };
        query?: {
          /** How many at most; 50 unless asked. */
          limit?: number;
          /** The latest with a smaller offset. */
          before?: number;
          /** The earliest with a greater offset. */
          after?: number;
          /** Changes when the channel's history was lost and offsets begin anew. */
          epoch?: string;
        };
        answer: components["schemas"]["HistoryPage"];
      };
      /** See who is in a channel. */
      getChannelsChannelPresence: {
        path: {
          channel: components["schemas"]["ChannelName"];
        };
        query?: {
          /** How many at most; 0 gives counts alone, 50 unless asked. */
          limit?: number;
          /** Where the page starts: `next` of the one before, unchanged. */
          cursor?: string;
        };
        answer: components["schemas"]["PresencePage"];
      };
      /** List connections. */
      getConnections: {
        query?: {
          /** A user, as the `sub` of their token says. */
          user?: string;
          channel?: components["schemas"]["ChannelName"];
          /** How many at most; 50 unless asked. */
          limit?: number;
          /** Where the page starts: `next` of the one before, unchanged. */
          cursor?: string;
        };
        answer: {
          connections: components["schemas"]["ConnectionEntry"][];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
          /** Nodes of the cluster that did not answer in time, so that what they have is not in this; absent when all did. */
          missing?: string[];
        };
      };
      /** Look at one connection. */
      getConnectionsConnection: {
        path: {
          /** A connection, as `welcome` told it. */
          connection: string;
        };
        answer: components["schemas"]["ConnectionWithSubscriptions"];
      };
      /** List namespaces. */
      getNamespaces: {
        answer: {
          namespaces: components["schemas"]["NamespaceInForce"][];
        };
      };
      /** Change a namespace. */
      putNamespacesName: {
        path: {
          name: string;
        };
        body: {
          history?: {
            /** Publications kept per channel; 0 keeps none (publications). */
            size?: number;
            /** How long a publication is kept (ms). */
            ttlMs?: number;
            /** Bytes kept per channel; the oldest publications go first (bytes). */
            maxBytes?: number;
          };
          /** Keep track of who is in a channel. */
          presence?: boolean;
          /** Push joins, leaves and updates to subscribers. */
          joinLeave?: boolean;
          /** Never send a publication back to the connection that published it. */
          excludeSender?: boolean;
          /**
           * What happens when a subscriber reads too slowly, unless it asks for something else.
           */
          slowConsumer?: "close" | "drop-oldest" | "latest" | "catch-up";
          /** Allow subscriptions to patterns. */
          wildcard?: boolean;
          /** Latest publications sent to a new subscriber (publications). */
          lastOnSubscribe?: number;
          /** Largest `data` of one publication, as JSON (bytes). */
          messageMaxBytes?: number;
          rate?: {
            /** Publishes to one channel, by all together; 0: no limit (publishes a second). */
            publishesPerSecond?: number;
            /** How many of them may come at once (publishes). */
            burst?: number;
          };
          allow?: {
            /** Who may subscribe. */
            subscribe?: string[];
            /** Who may publish. */
            publish?: string[];
            /** Who may read history. */
            history?: string[];
            /** Who may read and set presence. */
            presence?: string[];
          };
        };
        answer: components["schemas"]["NamespaceInForce"];
      };
      /** Return to the configured options. */
      deleteNamespacesName: {
        path: {
          name: string;
        };
        answer: {
          name: string;
        };
      };
      /** Whom the gateway takes the bearer for. */
      getAuthMe: {
        answer: components["schemas"]["Bearer"];
      };
      /** Whether a token is valid. */
      getAuthVerify: {
        answer: components["schemas"]["TokenVerdict"];
      };
      /** List the nodes. */
      getClusterNodes: {
        answer: {
          nodes: components["schemas"]["ClusterNode"][];
        };
      };
      /** Empty a node. */
      postClusterNodesNodeDrain: {
        path: {
          /** Its id, or its name if no other node has it. */
          node: string;
        };
        answer: components["schemas"]["ClientsMoved"];
      };
      /** Take a node back. */
      postClusterNodesNodeUndrain: {
        path: {
          /** Its id, or its name if no other node has it. */
          node: string;
        };
        answer: components["schemas"]["ClientsMoved"];
      };
      /** Move some clients away. */
      postClusterNodesNodeMove: {
        path: {
          /** Its id, or its name if no other node has it. */
          node: string;
        };
        body: {
          connections: number;
        };
        answer: components["schemas"]["ClientsMoved"];
      };
      /** Even out the nodes. */
      postClusterRebalance: {
        answer: {
          moved: components["schemas"]["ClientsMoved"][];
        };
      };
      /** What was used, day by day. */
      getUsage: {
        query?: {
          /** The first day (UTC); 29 days before the last. */
          from?: string;
          /** The last day; today. */
          to?: string;
        };
        answer: components["schemas"]["UsageByDay"];
      };
      /** Create a tenant. */
      postTenants: {
        body: {
          id: components["schemas"]["TenantId"];
          /** What you call it. */
          name?: string;
          quotas?: components["schemas"]["QuotasChange"];
        };
        answer: components["schemas"]["Tenant"];
      };
      /** List tenants. */
      getTenants: {
        query?: {
          /** How many at most; 50 unless asked. */
          limit?: number;
          /** Where the page starts: `next` of the one before, unchanged. */
          cursor?: string;
        };
        answer: {
          tenants: components["schemas"]["Tenant"][];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
        };
      };
      /** Show a tenant. */
      getTenantsTenant: {
        path: {
          tenant: components["schemas"]["TenantId"];
        };
        answer: components["schemas"]["Tenant"];
      };
      /** Change a tenant's name and quotas. */
      putTenantsTenant: {
        path: {
          tenant: components["schemas"]["TenantId"];
        };
        body: {
          /** What you call it. */
          name?: string | null;
          quotas?: components["schemas"]["QuotasChange"];
        };
        answer: components["schemas"]["Tenant"];
      };
      /** Delete a tenant. */
      deleteTenantsTenant: {
        path: {
          tenant: components["schemas"]["TenantId"];
        };
        answer: components["schemas"]["Tenant"];
      };
      /** Suspend a tenant. */
      postTenantsTenantSuspend: {
        path: {
          tenant: components["schemas"]["TenantId"];
        };
        answer: components["schemas"]["Tenant"];
      };
      /** Let a suspended tenant in again. */
      postTenantsTenantResume: {
        path: {
          tenant: components["schemas"]["TenantId"];
        };
        answer: components["schemas"]["Tenant"];
      };
      /** Make an API key. */
      postTenantsTenantKeys: {
        path: {
          tenant: components["schemas"]["TenantId"];
        };
        body: {
          /** What you call it. */
          name?: string;
          /** What the key may be used for; `*` is all of them. */
          scopes?: (
            | "*"
            | "publish"
            | "send"
            | "read"
            | "control"
            | "namespaces"
            | "chat"
            | "notifications"
            | "users"
            | "usage"
            | "webhooks"
            | "backend"
          )[];
          /** Unix milliseconds. */
          expiresAt?: number;
        };
        answer: components["schemas"]["MadeTenantKey"];
      };
      /** List a tenant's API keys. */
      getTenantsTenantKeys: {
        path: {
          tenant: components["schemas"]["TenantId"];
        };
        answer: {
          keys: components["schemas"]["TenantKey"][];
        };
      };
      /** Replace an API key. */
      postTenantsTenantKeysKeyRotate: {
        path: {
          tenant: components["schemas"]["TenantId"];
          /** The `id` of a key. */
          key: string;
        };
        body: {
          /** How long the former one goes on; a day unless asked. */
          overlapMs?: number;
        };
        answer: components["schemas"]["MadeTenantKey"];
      };
      /** Revoke an API key. */
      deleteTenantsTenantKeysKey: {
        path: {
          tenant: components["schemas"]["TenantId"];
          /** The `id` of a key. */
          key: string;
        };
        answer: {
          id: string;
        };
      };
      /** Make a token secret for a tenant. */
      postTenantsTenantTokenSecrets: {
        path: {
          tenant: components["schemas"]["TenantId"];
        };
        answer: components["schemas"]["MadeTokenSecret"];
      };
      /** List a tenant's token secrets. */
      getTenantsTenantTokenSecrets: {
        path: {
          tenant: components["schemas"]["TenantId"];
        };
        answer: {
          secrets: components["schemas"]["TokenSecret"][];
        };
      };
      /** Replace a token secret. */
      postTenantsTenantTokenSecretsSecretRotate: {
        path: {
          tenant: components["schemas"]["TenantId"];
          /** The `id` of a secret. */
          secret: string;
        };
        body: {
          /** How long the former one goes on; a day unless asked. */
          overlapMs?: number;
        };
        answer: components["schemas"]["MadeTokenSecret"];
      };
      /** Remove a token secret. */
      deleteTenantsTenantTokenSecretsSecret: {
        path: {
          tenant: components["schemas"]["TenantId"];
          /** The `id` of a secret. */
          secret: string;
        };
        answer: {
          id: string;
        };
      };
      /** Who has changed what about tenants. */
      getAudit: {
        query?: {
          tenant?: components["schemas"]["TenantId"];
          /** How many at most; 50 unless asked. */
          limit?: number;
          /** Where the page starts: `next` of the one before, unchanged. */
          cursor?: string;
        };
        answer: {
          entries: components["schemas"]["AuditEntry"][];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
        };
      };
      /** Say something in a room. */
      postChatSend: {
        body: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
          text?: string;
          data?: unknown;
          /** A message, by its number within the room. */
          replyTo?: number;
          idempotencyKey?: string;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
          /** The user's, as shown. */
          name?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          seq: number;
          id: string;
          /** Unix milliseconds. */
          at: number;
          duplicate?: true;
        };
      };
      /** Say how far a user has read. */
      postChatMessagesMarkRead: {
        body: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
          read?: number;
          delivered?: number;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          read: number;
          delivered: number;
          unread: number;
        };
      };
      /** Say something else instead. */
      postChatMessagesEdit: {
        body: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
          /** A message, by its number within the room. */
          seq: number;
          text?: string;
          data?: unknown;
          version?: number;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          seq: number;
          version: number;
          /** Unix milliseconds. */
          editedAt: number;
        };
      };
      /** React to a message, or take a reaction back. */
      postChatMessagesReact: {
        body: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
          /** A message, by its number within the room. */
          seq: number;
          emoji: string;
          on?: boolean;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          seq: number;
          emoji: string;
          on: boolean;
          count: number;
          revision: number;
        };
      };
      /** Delete a message. */
      postChatMessagesDelete: {
        body: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
          /** A message, by its number within the room. */
          seq: number;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          seq: number;
          version: number;
          /** Unix milliseconds. */
          deletedAt: number;
        };
      };
      /** What was said in a room. */
      getChatHistory: {
        query: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
          before?: number;
          after?: number;
          around?: number;
          thread?: number;
          limit?: number;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          messages: {
            /** The room's channel. */
            room: string;
            seq: number;
            id: string;
            from?: {
              id: string;
              name?: string;
              avatar?: string;
            };
            text?: string;
            data?: unknown;
            replyTo?: number;
            /** Unix milliseconds. */
            at: number;
            version: number;
            /** Unix milliseconds. */
            editedAt?: number;
            /** Unix milliseconds. */
            deletedAt?: number;
            reactions?: {
              emoji: string;
              count: number;
              own?: true;
            }[];
            revision?: number;
          }[];
          top: number;
          older: boolean;
          newer: boolean;
        };
      };
      /** Search in a room. */
      getChatSearch: {
        query: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
          q: string;
          before?: number;
          limit?: number;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          messages: {
            /** The room's channel. */
            room: string;
            seq: number;
            id: string;
            from?: {
              id: string;
              name?: string;
              avatar?: string;
            };
            text?: string;
            data?: unknown;
            replyTo?: number;
            /** Unix milliseconds. */
            at: number;
            version: number;
            /** Unix milliseconds. */
            editedAt?: number;
            /** Unix milliseconds. */
            deletedAt?: number;
            reactions?: {
              emoji: string;
              count: number;
              own?: true;
            }[];
            revision?: number;
          }[];
          /** The `before` to go on with; absent at the end. */
          next?: number;
        };
      };
      /** How far everybody has read. */
      getChatReceipts: {
        query: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
          cursor?: string;
          limit?: number;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          receipts: {
            user: string;
            read: number;
            delivered: number;
          }[];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
        };
      };
      /** Create a room. */
      postChatRooms: {
        body: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room?: string;
          access?: "public" | "private";
          title?: string;
          data?: unknown;
          members?: {
            user: string;
            role?: "owner" | "admin" | "member";
          }[];
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          access: "public" | "private";
          title?: string;
          data?: unknown;
          /** Unix milliseconds. */
          createdAt: number;
          createdBy?: string;
          /** Unix milliseconds. */
          activeAt: number;
          top: number;
          version: number;
          role?: "owner" | "admin" | "member";
        };
      };
      /** A user's rooms, or all. */
      getChatRooms: {
        query?: {
          cursor?: string;
          limit?: number;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          rooms: {
            /** The room's channel. */
            room: string;
            access: "public" | "private";
            title?: string;
            data?: unknown;
            /** Unix milliseconds. */
            createdAt: number;
            createdBy?: string;
            /** Unix milliseconds. */
            activeAt: number;
            top: number;
            version: number;
            role?: "owner" | "admin" | "member";
            read?: number;
            delivered?: number;
            unread?: number;
            last?: {
              /** The room's channel. */
              room: string;
              seq: number;
              id: string;
              from?: {
                id: string;
                name?: string;
                avatar?: string;
              };
              text?: string;
              data?: unknown;
              replyTo?: number;
              /** Unix milliseconds. */
              at: number;
              version: number;
              /** Unix milliseconds. */
              editedAt?: number;
              /** Unix milliseconds. */
              deletedAt?: number;
              reactions?: {
                emoji: string;
                count: number;
                own?: true;
              }[];
              revision?: number;
            };
          }[];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
        };
      };
      /** What a user has not read. */
      getChatUnread: {
        query?: {
          cursor?: string;
          limit?: number;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          rooms: {
            /** The room's channel. */
            room: string;
            unread: number;
          }[];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
        };
      };
      /** One room. */
      getChatRoomsRoom: {
        path: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
        };
        query?: {
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          access: "public" | "private";
          title?: string;
          data?: unknown;
          /** Unix milliseconds. */
          createdAt: number;
          createdBy?: string;
          /** Unix milliseconds. */
          activeAt: number;
          top: number;
          version: number;
          role?: "owner" | "admin" | "member";
        };
      };
      /** Change a room. */
      putChatRoomsRoom: {
        path: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
        };
        body: {
          title?: string | null;
          data?: unknown;
          version?: number;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          access: "public" | "private";
          title?: string;
          data?: unknown;
          /** Unix milliseconds. */
          createdAt: number;
          createdBy?: string;
          /** Unix milliseconds. */
          activeAt: number;
          top: number;
          version: number;
          role?: "owner" | "admin" | "member";
        };
      };
      /** Delete a room. */
      deleteChatRoomsRoom: {
        path: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
        };
        query?: {
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
        };
      };
      /** Join a public room. */
      postChatRoomsRoomJoin: {
        path: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
        };
        body: {
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          access: "public" | "private";
          title?: string;
          data?: unknown;
          /** Unix milliseconds. */
          createdAt: number;
          createdBy?: string;
          /** Unix milliseconds. */
          activeAt: number;
          top: number;
          version: number;
          role?: "owner" | "admin" | "member";
        };
      };
      /** Leave a room. */
      postChatRoomsRoomLeave: {
        path: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
        };
        body: {
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
        };
      };
      /** Who is in a room. */
      getChatRoomsRoomMembers: {
        path: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
        };
        query?: {
          cursor?: string;
          limit?: number;
          /** For backends: whom they act as. Users act for themselves. */
          user?: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          members: {
            user: string;
            role: "owner" | "admin" | "member";
            /** Unix milliseconds. */
            since: number;
          }[];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
        };
      };
      /** Invite somebody, or give a role. */
      putChatRoomsRoomMembersUser: {
        path: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
          user: string;
        };
        body: {
          role?: "owner" | "admin" | "member";
        };
        answer: {
          /** The room's channel. */
          room: string;
          user: string;
          role: "owner" | "admin" | "member";
        };
      };
      /** Remove somebody. */
      deleteChatRoomsRoomMembersUser: {
        path: {
          /** A room: its channel, or a name of the namespace `chat`. */
          room: string;
          user: string;
        };
        answer: {
          /** The room's channel. */
          room: string;
          user: string;
        };
      };
      /** Send a notification. */
      postNotifications: {
        body: {
          type?: string;
          title?: string;
          body?: string;
          /** Any JSON value */
          data?: unknown;
          priority?: "normal" | "urgent";
          collapseKey?: string;
          expiresInMs?: number;
          idempotencyKey?: string;
          /** Id of a user */
          user?: string;
          users?: string[];
          tenant?: true;
        };
        answer: {
          id: string;
          at: number;
          expiresAt: number;
          users?: number;
        };
      };
      /** List a user's notifications. */
      getNotifications: {
        query?: {
          /** Whose they are; backends give it, users have their own */
          user?: string;
          state?: "all" | "unacknowledged";
          limit?: number;
          cursor?: string;
        };
        answer: {
          notifications: {
            id: string;
            seq: number;
            at: number;
            expiresAt: number;
            type?: string;
            title?: string;
            body?: string;
            data?: unknown;
            priority?: "urgent";
            collapseKey?: string;
            from?: {
              user: string;
            };
            tenant?: true;
            acknowledgedAt?: number;
          }[];
          unread?: number;
          next?: string;
        };
      };
      /** Count a user's unacknowledged notifications. */
      getNotificationsUnreadCount: {
        query?: {
          /** Whose they are; backends give it, users have their own */
          user?: string;
        };
        answer: {
          unread: number;
        };
      };
      /** Acknowledge notifications. */
      postNotificationsAcknowledge: {
        body: {
          id?: string;
          ids?: string[];
          upTo?: string;
          idempotencyKey?: string;
          /** Whose they are; backends give it, users have their own */
          user?: string;
        };
        answer: {
          acknowledged: string[];
          more?: true;
        };
      };
      /** Withdraw a notification. */
      deleteNotificationsId: {
        path: {
          id: string;
        };
        query?: {
          /** Id of a user */
          user?: string;
        };
        answer: {
          withdrawn: number;
        };
      };
      /** The key that browsers subscribe with. */
      getNotificationsPushKey: {
        answer: {
          publicKey: string;
        };
      };
      /** Subscribe a browser to Web Push. */
      postNotificationsSubscriptions: {
        body: {
          endpoint: string;
          keys: {
            p256dh: string;
            auth: string;
          };
          /** Whose they are; backends give it, users have their own */
          user?: string;
        };
        answer: Record<string, never>;
      };
      /** End a browser's subscription. */
      postNotificationsSubscriptionsRemove: {
        body: {
          endpoint: string;
          /** Whose they are; backends give it, users have their own */
          user?: string;
        };
        answer: Record<string, never>;
      };
      /** Who is connected. */
      getUsersOnline: {
        query?: {
          /** How many at most; 50 unless asked. */
          limit?: number;
          /** Where the page starts: `next` of the one before, unchanged. */
          cursor?: string;
        };
        answer: {
          users: {
            /** A user, as the `sub` of their token says. */
            id: string;
            name?: string;
            email?: string;
            avatar?: string;
            data?: unknown;
            online?: boolean;
            /** Unix milliseconds; of who is online: now. */
            lastSeenAt?: number;
            /** To how many nodes they are connected; for backends. */
            nodes?: number;
          }[];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
          /** Nodes of the cluster that did not answer in time, so that who is connected there alone is not in this; absent when all did. */
          missing?: string[];
        };
      };
      /** Find users by the beginnings of words. */
      getUsersSearch: {
        query: {
          /** What to look for. */
          q: string;
          /** How many at most; 20 unless asked. */
          limit?: number;
          /** Where the page starts: `next` of the one before, unchanged. */
          cursor?: string;
        };
        answer: {
          users: {
            /** A user, as the `sub` of their token says. */
            id: string;
            name?: string;
            email?: string;
            avatar?: string;
            data?: unknown;
            online?: boolean;
            /** Unix milliseconds; of who is online: now. */
            lastSeenAt?: number;
            /** To how many nodes they are connected; for backends. */
            nodes?: number;
          }[];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
          /** Nodes of the cluster that did not answer in time, so that who is connected there alone is not in this; absent when all did. */
          missing?: string[];
        };
      };
      /** All users of the directory. */
      getUsers: {
        query?: {
          /** A user, as the `sub` of their token says. */
          user?: string;
          /** How many at most; 50 unless asked. */
          limit?: number;
          /** Where the page starts: `next` of the one before, unchanged. */
          cursor?: string;
        };
        answer: {
          users: {
            /** A user, as the `sub` of their token says. */
            id: string;
            name?: string;
            email?: string;
            avatar?: string;
            data?: unknown;
            online?: boolean;
            /** Unix milliseconds; of who is online: now. */
            lastSeenAt?: number;
            /** To how many nodes they are connected; for backends. */
            nodes?: number;
          }[];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
          /** Nodes of the cluster that did not answer in time, so that who is connected there alone is not in this; absent when all did. */
          missing?: string[];
        };
      };
      /** Put up to 100 users into the directory. */
      postUsers: {
        body: {
          users: {
            /** A user, as the `sub` of their token says. */
            id: string;
            /** Left out it stays, `null` clears it. */
            name?: string | null;
            /** Left out it stays, `null` clears it. */
            email?: string | null;
            /** Left out it stays, `null` clears it. */
            avatar?: string | null;
            /** Any JSON; `null` clears it. */
            data?: unknown;
          }[];
        };
        answer: {
          results: (
            | {
                /** A user, as the `sub` of their token says. */
                id: string;
                name?: string;
                email?: string;
                avatar?: string;
                data?: unknown;
                online?: boolean;
                /** Unix milliseconds; of who is online: now. */
                lastSeenAt?: number;
                /** To how many nodes they are connected; for backends. */
                nodes?: number;
              }
            | {
                error: {
                  code: string;
                  message: string;
                  temporary: boolean;
                  retryAfterMs?: number;
                };
              }
          )[];
        };
      };
      /** A user. */
      getUsersUser: {
        path: {
          /** A user, as the `sub` of their token says. */
          user: string;
        };
        answer: {
          /** A user, as the `sub` of their token says. */
          id: string;
          name?: string;
          email?: string;
          avatar?: string;
          data?: unknown;
          online?: boolean;
          /** Unix milliseconds; of who is online: now. */
          lastSeenAt?: number;
          /** To how many nodes they are connected; for backends. */
          nodes?: number;
          /** Nodes of the cluster that did not answer in time, so that who is connected there alone is not in this; absent when all did. */
          missing?: string[];
        };
      };
      /** Put a user into the directory. */
      putUsersUser: {
        path: {
          /** A user, as the `sub` of their token says. */
          user: string;
        };
        body: {
          /** Left out it stays, `null` clears it. */
          name?: string | null;
          /** Left out it stays, `null` clears it. */
          email?: string | null;
          /** Left out it stays, `null` clears it. */
          avatar?: string | null;
          /** Any JSON; `null` clears it. */
          data?: unknown;
        };
        answer: {
          /** A user, as the `sub` of their token says. */
          id: string;
          name?: string;
          email?: string;
          avatar?: string;
          data?: unknown;
          online?: boolean;
          /** Unix milliseconds; of who is online: now. */
          lastSeenAt?: number;
          /** To how many nodes they are connected; for backends. */
          nodes?: number;
        };
      };
      /** Remove a user from the directory. */
      deleteUsersUser: {
        path: {
          /** A user, as the `sub` of their token says. */
          user: string;
        };
        answer: {
          /** Whether they were there. */
          removed: boolean;
        };
      };
      /** The user with an address. */
      getUsersByEmailEmail: {
        path: {
          email: string;
        };
        answer: {
          /** A user, as the `sub` of their token says. */
          id: string;
          name?: string;
          email?: string;
          avatar?: string;
          data?: unknown;
          online?: boolean;
          /** Unix milliseconds; of who is online: now. */
          lastSeenAt?: number;
          /** To how many nodes they are connected; for backends. */
          nodes?: number;
          /** Nodes of the cluster that did not answer in time, so that who is connected there alone is not in this; absent when all did. */
          missing?: string[];
          sharedWith?: string[];
        };
      };
      /** Whom a user blocks. */
      getUsersUserBlocked: {
        path: {
          /** A user, as the `sub` of their token says. */
          user: string;
        };
        query?: {
          /** How many at most; 50 unless asked. */
          limit?: number;
          /** Where the page starts: `next` of the one before, unchanged. */
          cursor?: string;
        };
        answer: {
          users: {
            /** A user, as the `sub` of their token says. */
            id: string;
            at: number;
          }[];
          /** The `cursor` of the next page; absent on the last one. */
          next?: string;
        };
      };
      /** Block a user. */
      putUsersUserBlockedOther: {
        path: {
          /** A user, as the `sub` of their token says. */
          user: string;
          /** A user, as the `sub` of their token says. */
          other: string;
        };
        answer: {
          /** Who is, or was, blocked. */
          user: string;
        };
      };
      /** No longer block a user. */
      deleteUsersUserBlockedOther: {
        path: {
          /** A user, as the `sub` of their token says. */
          user: string;
          /** A user, as the `sub` of their token says. */
          other: string;
        };
        answer: {
          /** Who is, or was, blocked. */
          user: string;
        };
      };
      /** Show how the backend is called. */
      getBackend: {
        answer: {
          url: string;
          rpc: boolean;
          subscribe: {
            namespaces: string[];
          };
          publish: {
            namespaces: string[];
          };
          timeoutMs: number;
          onFailure: "refuse" | "pass";
        };
      };
      /** Set which backend is called, and for what. */
      putBackend: {
        body: {
          /** Where requests are posted to. */
          url: string;
          /** What they are signed with; without it the former one stays, or one is made. */
          secret?: string;
          /** Whether clients may call it (`rpc`). */
          rpc?: boolean;
          /** Where it is asked who may subscribe. */
          subscribe?: {
            /** Those in which it is asked who may subscribe; `*`: in all. */
            namespaces?: string[];
          };
          /** Where it is asked what users may publish. */
          publish?: {
            /** Those in which it is asked what users may publish, and may change it; `*`: in all. */
            namespaces?: string[];
          };
          /** How long it may take to answer; at most `backendCalls.timeoutMaxMs` (ms). */
          timeoutMs?: number;
          /**
           * When it cannot be asked: nobody may, or whoever may by token and namespace.
           */
          onFailure?: "refuse" | "pass";
        };
        answer: {
          url: string;
          rpc: boolean;
          subscribe: {
            namespaces: string[];
          };
          publish: {
            namespaces: string[];
          };
          timeoutMs: number;
          onFailure: "refuse" | "pass";
          /** Only when it is new: it is not shown again. */
          secret?: string;
        };
      };
      /** Call no backend any more. */
      deleteBackend: {
        answer: {
          removed: boolean;
        };
      };
      /** Add an endpoint for webhooks. */
      postWebhooks: {
        body: {
          /** Where events are posted to, over https; private addresses are refused unless the operator allows them. */
          url: string;
          /** Types of events that it wants; `*` alone: all. */
          types?: string[];
          /** Of events that are about a channel: only those of these namespaces; none: of all. */
          namespaces?: string[];
          /** For those who read the list. */
          description?: string;
          /** Sent with each request, beside the gateway's own; such as `Authorization`. */
          headers?: {
            [key: string]: string;
          };
          /** What requests are signed with: `whsec_` and 24 to 64 bytes as base64. */
          secret?: string;
        };
        answer: {
          /** Its id. */
          endpoint: string;
          url: string;
          types: string[];
          namespaces: string[];
          description: string;
          /** Names of its headers; their values are not shown. */
          headers: string[];
          status: "active" | "paused" | "disabled";
          /** Why it is not active. */
          why?: string;
          createdAt: number;
          /** When its status was set. */
          since: number;
          secret: string;
        };
      };
      /** List the endpoints for webhooks. */
      getWebhooks: {
        answer: {
          endpoints: {
            /** Its id. */
            endpoint: string;
            url: string;
            types: string[];
            namespaces: string[];
            description: string;
            /** Names of its headers; their values are not shown. */
            headers: string[];
            status: "active" | "paused" | "disabled";
            /** Why it is not active. */
            why?: string;
            createdAt: number;
            /** When its status was set. */
            since: number;
          }[];
        };
      };
      /** Show an endpoint for webhooks. */
      getWebhooksEndpoint: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        answer: {
          /** Its id. */
          endpoint: string;
          url: string;
          types: string[];
          namespaces: string[];
          description: string;
          /** Names of its headers; their values are not shown. */
          headers: string[];
          status: "active" | "paused" | "disabled";
          /** Why it is not active. */
          why?: string;
          createdAt: number;
          /** When its status was set. */
          since: number;
        };
      };
      /** Change an endpoint for webhooks. */
      putWebhooksEndpoint: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        body: {
          /** Where events are posted to, over https; private addresses are refused unless the operator allows them. */
          url?: string;
          /** Types of events that it wants; `*` alone: all. */
          types?: string[];
          /** Of events that are about a channel: only those of these namespaces; none: of all. */
          namespaces?: string[];
          /** For those who read the list. */
          description?: string;
          /** Sent with each request, beside the gateway's own; such as `Authorization`. */
          headers?: {
            [key: string]: string;
          };
        };
        answer: {
          /** Its id. */
          endpoint: string;
          url: string;
          types: string[];
          namespaces: string[];
          description: string;
          /** Names of its headers; their values are not shown. */
          headers: string[];
          status: "active" | "paused" | "disabled";
          /** Why it is not active. */
          why?: string;
          createdAt: number;
          /** When its status was set. */
          since: number;
        };
      };
      /** Remove an endpoint for webhooks. */
      deleteWebhooksEndpoint: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        answer: {
          /** Whether it was there. */
          removed: boolean;
        };
      };
      /** Show what an endpoint's requests are signed with. */
      getWebhooksEndpointSecret: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        answer: {
          secrets: {
            secret: string;
            until?: number;
          }[];
        };
      };
      /** Give an endpoint another secret. */
      postWebhooksEndpointRotateSecret: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        body: {
          /** What requests are signed with: `whsec_` and 24 to 64 bytes as base64. */
          secret?: string;
        };
        answer: {
          secret: string;
        };
      };
      /** Have events sent to an endpoint again. */
      postWebhooksEndpointEnable: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        answer: {
          /** Its id. */
          endpoint: string;
          url: string;
          types: string[];
          namespaces: string[];
          description: string;
          /** Names of its headers; their values are not shown. */
          headers: string[];
          status: "active" | "paused" | "disabled";
          /** Why it is not active. */
          why?: string;
          createdAt: number;
          /** When its status was set. */
          since: number;
        };
      };
      /** Have an endpoint's events wait. */
      postWebhooksEndpointPause: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        answer: {
          /** Its id. */
          endpoint: string;
          url: string;
          types: string[];
          namespaces: string[];
          description: string;
          /** Names of its headers; their values are not shown. */
          headers: string[];
          status: "active" | "paused" | "disabled";
          /** Why it is not active. */
          why?: string;
          createdAt: number;
          /** When its status was set. */
          since: number;
        };
      };
      /** Send a test event to an endpoint. */
      postWebhooksEndpointTest: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        answer: {
          /** Of the event. */
          id: string;
        };
      };
      /** How far an endpoint has come. */
      getWebhooksEndpointDeliveries: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        answer: {
          status: "active" | "paused" | "disabled";
          why?: string;
          /** The number of the last event that was taken, or became a dead letter. */
          cursor: number;
          /** The number of the last event that was recorded. */
          last: number;
          /** How many wait. */
          backlog: number;
          /** When the first that waits was recorded. */
          oldestAt?: number;
          lastTakenAt?: number;
          lastError?: {
            at: number;
            why: string;
            status?: number;
          };
          /** Attempts in a row that have failed. */
          failures: number;
          /** Not before then, while it fails. */
          nextAttemptAt?: number;
          /**
           * `open`: it is down, and nothing is sent; `half-open`: it is tried next.
           */
          breaker: "closed" | "open" | "half-open";
          /** Dead letters; counted up to 10,000. */
          dead: number;
        };
      };
      /** List an endpoint's dead letters. */
      getWebhooksEndpointDead: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        query?: {
          /** `next` of the page before. */
          after?: number | null;
          limit?: number;
        };
        answer: {
          letters: {
            /** The number that it had. */
            seq: number;
            id: string;
            type: string;
            /** When it happened. */
            at: number;
            recordedAt: number;
            deadAt: number;
            why: string;
            data: {
              [key: string]: unknown;
            };
          }[];
          next?: number;
        };
      };
      /** Remove dead letters. */
      deleteWebhooksEndpointDead: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        query?: {
          upTo?: number;
        };
        answer: {
          removed: number;
        };
      };
      /** Send dead letters anew. */
      postWebhooksEndpointDeadReplay: {
        path: {
          /** The id of an endpoint. */
          endpoint: string;
        };
        body: {
          /** Of these numbers alone; without it the oldest 1,000, and what is left is told. */
          seqs?: number[];
        };
        answer: {
          replayed: number;
          more: boolean;
        };
      };
      /** Whether the process runs. */
      getHealthLive: {
        answer: {
          status: "live";
        };
      };
      /** Whether it takes connections. */
      getHealthReady: {
        answer:
          | {
              status: "ready";
            }
          | {
              status: "not ready";
              waitsFor: string[];
            };
      };
      /** Metrics for Prometheus. */
      getMetrics: {
        answer: string;
      };
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}

export type Operations = components["schemas"]["Operations"];
export type BatchCommand = components["schemas"]["BatchCommand"];
export type Publish = components["schemas"]["Publish"];
export type ChannelName = components["schemas"]["ChannelName"];
export type Broadcast = components["schemas"]["Broadcast"];
export type Refresh = components["schemas"]["Refresh"];
export type Published = components["schemas"]["Published"];
export type Error = components["schemas"]["Error"];
export type ErrorBody = components["schemas"]["ErrorBody"];
export type BatchResults = components["schemas"]["BatchResults"];
export type Broadcasted = components["schemas"]["Broadcasted"];
export type Delivered = components["schemas"]["Delivered"];
export type Touched = components["schemas"]["Touched"];
export type Batch = components["schemas"]["Batch"];
export type Send = components["schemas"]["Send"];
export type ChannelOnly = components["schemas"]["ChannelOnly"];
export type Disconnect = components["schemas"]["Disconnect"];
export type ChannelEntry = components["schemas"]["ChannelEntry"];
export type HistoryPage = components["schemas"]["HistoryPage"];
export type Publication = components["schemas"]["Publication"];
export type PresencePage = components["schemas"]["PresencePage"];
export type PresentUser = components["schemas"]["PresentUser"];
export type ConnectionEntry = components["schemas"]["ConnectionEntry"];
export type ConnectionWithSubscriptions = components["schemas"]["ConnectionWithSubscriptions"];
export type SubscriptionEntry = components["schemas"]["SubscriptionEntry"];
export type NamespaceInForce = components["schemas"]["NamespaceInForce"];
export type Bearer = components["schemas"]["Bearer"];
export type TokenVerdict = components["schemas"]["TokenVerdict"];
export type ClusterNode = components["schemas"]["ClusterNode"];
export type ClientsMoved = components["schemas"]["ClientsMoved"];
export type UsageByDay = components["schemas"]["UsageByDay"];
export type Tenant = components["schemas"]["Tenant"];
export type TenantId = components["schemas"]["TenantId"];
export type QuotasChange = components["schemas"]["QuotasChange"];
export type MadeTenantKey = components["schemas"]["MadeTenantKey"];
export type TenantKey = components["schemas"]["TenantKey"];
export type MadeTokenSecret = components["schemas"]["MadeTokenSecret"];
export type TokenSecret = components["schemas"]["TokenSecret"];
export type AuditEntry = components["schemas"]["AuditEntry"];

/** Where each operation is; `keyed`: its body takes an `idempotencyKey`. */
export const ROUTES = {
  postPublish: { method: "POST", path: "/api/publish", keyed: true },
  postBatch: { method: "POST", path: "/api/batch" },
  postBroadcast: { method: "POST", path: "/api/broadcast", keyed: true },
  postUsersUserSend: { method: "POST", path: "/api/users/{user}/send" },
  postConnectionsConnectionSend: { method: "POST", path: "/api/connections/{connection}/send" },
  postUsersUserSubscribe: { method: "POST", path: "/api/users/{user}/subscribe" },
  postConnectionsConnectionSubscribe: {
    method: "POST",
    path: "/api/connections/{connection}/subscribe",
  },
  postUsersUserUnsubscribe: { method: "POST", path: "/api/users/{user}/unsubscribe" },
  postConnectionsConnectionUnsubscribe: {
    method: "POST",
    path: "/api/connections/{connection}/unsubscribe",
  },
  postUsersUserDisconnect: { method: "POST", path: "/api/users/{user}/disconnect" },
  postConnectionsConnectionDisconnect: {
    method: "POST",
    path: "/api/connections/{connection}/disconnect",
  },
  postRefresh: { method: "POST", path: "/api/refresh" },
  getChannels: { method: "GET", path: "/api/channels" },
  getChannelsChannelHistory: { method: "GET", path: "/api/channels/{channel}/history" },
  getChannelsChannelPresence: { method: "GET", path: "/api/channels/{channel}/presence" },
  getConnections: { method: "GET", path: "/api/connections" },
  getConnectionsConnection: { method: "GET", path: "/api/connections/{connection}" },
  getNamespaces: { method: "GET", path: "/api/namespaces" },
  putNamespacesName: { method: "PUT", path: "/api/namespaces/{name}" },
  deleteNamespacesName: { method: "DELETE", path: "/api/namespaces/{name}" },
  getAuthMe: { method: "GET", path: "/api/auth/me" },
  getAuthVerify: { method: "GET", path: "/api/auth/verify" },
  getClusterNodes: { method: "GET", path: "/api/cluster/nodes" },
  postClusterNodesNodeDrain: { method: "POST", path: "/api/cluster/nodes/{node}/drain" },
  postClusterNodesNodeUndrain: { method: "POST", path: "/api/cluster/nodes/{node}/undrain" },
  postClusterNodesNodeMove: { method: "POST", path: "/api/cluster/nodes/{node}/move" },
  postClusterRebalance: { method: "POST", path: "/api/cluster/rebalance" },
  getUsage: { method: "GET", path: "/api/usage" },
  postTenants: { method: "POST", path: "/api/tenants" },
  getTenants: { method: "GET", path: "/api/tenants" },
  getTenantsTenant: { method: "GET", path: "/api/tenants/{tenant}" },
  putTenantsTenant: { method: "PUT", path: "/api/tenants/{tenant}" },
  deleteTenantsTenant: { method: "DELETE", path: "/api/tenants/{tenant}" },
  postTenantsTenantSuspend: { method: "POST", path: "/api/tenants/{tenant}/suspend" },
  postTenantsTenantResume: { method: "POST", path: "/api/tenants/{tenant}/resume" },
  postTenantsTenantKeys: { method: "POST", path: "/api/tenants/{tenant}/keys" },
  getTenantsTenantKeys: { method: "GET", path: "/api/tenants/{tenant}/keys" },
  postTenantsTenantKeysKeyRotate: {
    method: "POST",
    path: "/api/tenants/{tenant}/keys/{key}/rotate",
  },
  deleteTenantsTenantKeysKey: { method: "DELETE", path: "/api/tenants/{tenant}/keys/{key}" },
  postTenantsTenantTokenSecrets: { method: "POST", path: "/api/tenants/{tenant}/token-secrets" },
  getTenantsTenantTokenSecrets: { method: "GET", path: "/api/tenants/{tenant}/token-secrets" },
  postTenantsTenantTokenSecretsSecretRotate: {
    method: "POST",
    path: "/api/tenants/{tenant}/token-secrets/{secret}/rotate",
  },
  deleteTenantsTenantTokenSecretsSecret: {
    method: "DELETE",
    path: "/api/tenants/{tenant}/token-secrets/{secret}",
  },
  getAudit: { method: "GET", path: "/api/audit" },
  postChatSend: { method: "POST", path: "/api/chat/send", keyed: true },
  postChatMessagesMarkRead: { method: "POST", path: "/api/chat/messages/mark-read" },
  postChatMessagesEdit: { method: "POST", path: "/api/chat/messages/edit" },
  postChatMessagesReact: { method: "POST", path: "/api/chat/messages/react" },
  postChatMessagesDelete: { method: "POST", path: "/api/chat/messages/delete" },
  getChatHistory: { method: "GET", path: "/api/chat/history" },
  getChatSearch: { method: "GET", path: "/api/chat/search" },
  getChatReceipts: { method: "GET", path: "/api/chat/receipts" },
  postChatRooms: { method: "POST", path: "/api/chat/rooms" },
  getChatRooms: { method: "GET", path: "/api/chat/rooms" },
  getChatUnread: { method: "GET", path: "/api/chat/unread" },
  getChatRoomsRoom: { method: "GET", path: "/api/chat/rooms/{room}" },
  putChatRoomsRoom: { method: "PUT", path: "/api/chat/rooms/{room}" },
  deleteChatRoomsRoom: { method: "DELETE", path: "/api/chat/rooms/{room}" },
  postChatRoomsRoomJoin: { method: "POST", path: "/api/chat/rooms/{room}/join" },
  postChatRoomsRoomLeave: { method: "POST", path: "/api/chat/rooms/{room}/leave" },
  getChatRoomsRoomMembers: { method: "GET", path: "/api/chat/rooms/{room}/members" },
  putChatRoomsRoomMembersUser: { method: "PUT", path: "/api/chat/rooms/{room}/members/{user}" },
  deleteChatRoomsRoomMembersUser: {
    method: "DELETE",
    path: "/api/chat/rooms/{room}/members/{user}",
  },
  postNotifications: { method: "POST", path: "/api/notifications", keyed: true },
  getNotifications: { method: "GET", path: "/api/notifications" },
  getNotificationsUnreadCount: { method: "GET", path: "/api/notifications/unread-count" },
  postNotificationsAcknowledge: {
    method: "POST",
    path: "/api/notifications/acknowledge",
    keyed: true,
  },
  deleteNotificationsId: { method: "DELETE", path: "/api/notifications/{id}" },
  getNotificationsPushKey: { method: "GET", path: "/api/notifications/push-key" },
  postNotificationsSubscriptions: { method: "POST", path: "/api/notifications/subscriptions" },
  postNotificationsSubscriptionsRemove: {
    method: "POST",
    path: "/api/notifications/subscriptions/remove",
  },
  getUsersOnline: { method: "GET", path: "/api/users/online" },
  getUsersSearch: { method: "GET", path: "/api/users/search" },
  getUsers: { method: "GET", path: "/api/users" },
  postUsers: { method: "POST", path: "/api/users" },
  getUsersUser: { method: "GET", path: "/api/users/{user}" },
  putUsersUser: { method: "PUT", path: "/api/users/{user}" },
  deleteUsersUser: { method: "DELETE", path: "/api/users/{user}" },
  getUsersByEmailEmail: { method: "GET", path: "/api/users/by-email/{email}" },
  getUsersUserBlocked: { method: "GET", path: "/api/users/{user}/blocked" },
  putUsersUserBlockedOther: { method: "PUT", path: "/api/users/{user}/blocked/{other}" },
  deleteUsersUserBlockedOther: { method: "DELETE", path: "/api/users/{user}/blocked/{other}" },
  getBackend: { method: "GET", path: "/api/backend" },
  putBackend: { method: "PUT", path: "/api/backend" },
  deleteBackend: { method: "DELETE", path: "/api/backend" },
  postWebhooks: { method: "POST", path: "/api/webhooks" },
  getWebhooks: { method: "GET", path: "/api/webhooks" },
  getWebhooksEndpoint: { method: "GET", path: "/api/webhooks/{endpoint}" },
  putWebhooksEndpoint: { method: "PUT", path: "/api/webhooks/{endpoint}" },
  deleteWebhooksEndpoint: { method: "DELETE", path: "/api/webhooks/{endpoint}" },
  getWebhooksEndpointSecret: { method: "GET", path: "/api/webhooks/{endpoint}/secret" },
  postWebhooksEndpointRotateSecret: {
    method: "POST",
    path: "/api/webhooks/{endpoint}/rotate-secret",
  },
  postWebhooksEndpointEnable: { method: "POST", path: "/api/webhooks/{endpoint}/enable" },
  postWebhooksEndpointPause: { method: "POST", path: "/api/webhooks/{endpoint}/pause" },
  postWebhooksEndpointTest: { method: "POST", path: "/api/webhooks/{endpoint}/test" },
  getWebhooksEndpointDeliveries: { method: "GET", path: "/api/webhooks/{endpoint}/deliveries" },
  getWebhooksEndpointDead: { method: "GET", path: "/api/webhooks/{endpoint}/dead" },
  deleteWebhooksEndpointDead: { method: "DELETE", path: "/api/webhooks/{endpoint}/dead" },
  postWebhooksEndpointDeadReplay: { method: "POST", path: "/api/webhooks/{endpoint}/dead/replay" },
  getHealthLive: { method: "GET", path: "/health/live" },
  getHealthReady: { method: "GET", path: "/health/ready" },
  getMetrics: { method: "GET", path: "/metrics" },
} as const;
