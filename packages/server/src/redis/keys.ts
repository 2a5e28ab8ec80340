/** The only place where names of keys and topics are made: `prefix:{partition}:kind:name`, and {@link publicName}. */
export type KeySpace = { key(kind: string, name?: string): string };

/** One part of a shard: its keys lie together (a hash tag of Redis Cluster), so that one script may touch several of them. */
export function keySpace(prefix: string, partition: number): KeySpace {
  const start = `${prefix}:{${partition}}:`;
  return { key: (kind, name) => (name === undefined ? start + kind : `${start}${kind}:${name}`) };
}

/** A name that others than gateways use too, so it has no partition in it: `prefix:name`. */
export function publicName(prefix: string, name: string): string {
  return `${prefix}:${name}`;
}

/** FNV-1a over UTF-16 units, 32 bits: decides where names go, so it must never change. */
export function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** A second mixing, so that neighbours of one hash are no neighbours of the next. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * Which of the shards holds a name: the one that weighs most with it (rendezvous hashing). When a shard is added or removed, the names that it
 * takes or held move, and no others. `seeds` are the hashes of the shards' own names, at least one.
 */
export function shardOf(seeds: readonly number[], name: string): number {
  if (seeds.length === 1) return 0;
  const hash = hashOf(name);
  let best = 0;
  let bestWeight = -1;
  for (const [index, seed] of seeds.entries()) {
    const weight = mix(hash ^ seed);
    if (weight > bestWeight) [best, bestWeight] = [index, weight];
  }
  return best;
}

/** Which partition of its shard. Mixed, so that it does not go with the shard. */
export function partitionOf(partitions: number, name: string): number {
  return partitions === 1 ? 0 : mix(hashOf(name) ^ 0x5bd1e995) % partitions;
}

/** Of a key or topic that {@link keySpace} made. */
export function partitionIn(key: string): number {
  const start = key.indexOf("{") + 1;
  return Number(key.slice(start, key.indexOf("}", start)));
}

const SLOTS = 16_384;

/** The slot of a Redis Cluster in which a key with a hash tag lies: CRC-16 (XMODEM) of the tag, which is ASCII here. */
export function slotOf(key: string): number {
  const start = key.indexOf("{") + 1;
  const end = key.indexOf("}", start);
  let crc = 0;
  for (let i = start; i < end; i++) {
    crc ^= key.charCodeAt(i) << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  return (crc & 0xffff) % SLOTS;
}
