import { field, isFields, type PublicUser } from "@aldis/protocol";
import { readPeerFields } from "../plugins/index.ts";

/** What one node tells the others of a user, by all their connections to it. */
export type TypingSignal = {
  readonly node: string;
  readonly user: PublicUser;
  readonly typing: boolean;
};

const VERSION = 1;

export function writeTypingSignal({ node, user, typing }: TypingSignal): string {
  return JSON.stringify({ v: VERSION, node, user, typing });
}

/** Undefined for what this version cannot read. */
export function readTypingSignal(body: string): TypingSignal | undefined {
  const value = readPeerFields(body);
  if (value === undefined || field(value, "v") !== VERSION) return undefined;
  const [node, user, typing] = ["node", "user", "typing"].map((name) => field(value, name));
  if (typeof node !== "string" || typeof typing !== "boolean" || !isFields(user)) return undefined;
  const [id, name, avatar] = ["id", "name", "avatar"].map((part) => field(user, part));
  if (typeof id !== "string") return undefined;
  const shown: PublicUser = { id };
  if (typeof name === "string") shown.name = name;
  if (typeof avatar === "string") shown.avatar = avatar;
  return { node, user: shown, typing };
}
