import type { NodeAddress, Town } from "./wire.ts";

/** A room's members are at one node after the other, so that every room is spread over all nodes. */
export function nodeOf(town: Town, member: number, moves: number): NodeAddress {
  const seat = Math.floor(member / town.rooms);
  const node = town.nodes[(roomOf(town, member) + seat + moves) % town.nodes.length];
  if (node === undefined) throw new Error("a town without nodes");
  return node;
}

export function roomOf(town: Town, member: number): number {
  return member % town.rooms;
}

/** Whether it is one of those who are cut, about one in `every`: neither by room nor by node. */
export function isUnlucky(member: number, every: number): boolean {
  return (Math.imul(member, 0x9e3779b1) >>> 16) % every === 0;
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
