/** What presence wants to know of the nodes of the cluster. */
export type PresenceNodes = {
  readonly self: string;
  isAlive(node: string): boolean;
  listen(listener: {
    /** What a node that is gone has left is to be removed. */
    onReap(node: string): Promise<void>;
    /** The others have removed what this node had told. */
    onLostLease(): void;
    /** A Redis, by its name, has lost what it held. */
    onRedisNew(shard: string): void;
  }): void;
};
