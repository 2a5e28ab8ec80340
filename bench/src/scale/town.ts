import type { NodeAddress, Town } from "./wire.ts";

/** Neighbours by number are at different nodes and in the same room: every room is spread over all nodes. */
export function nodeOf(town: Town, member: number, moves: number): NodeAddress {
  const node = town.nodes[(member + moves) % town.nodes.length];
  if (node === undefined) throw new Error("a town without nodes");
  return node;
}

export function roomOf(town: Town, member: number): number {
  return Math.floor(member / town.nodes.length) % town.rooms;
}

export function roomName(room: number): string {
  return `room:${room}`;
}

/** The channels that a member subscribes to, its room first. */
export function channelsOf(town: Town, member: number): string[] {
  const room = roomName(roomOf(town, member));
  if (town.halls === 0 || member % town.hallEvery !== 0) return [room];
  return [room, `hall:${Math.floor(member / town.hallEvery) % town.halls}`];
}
