// What stands on the bus: JSON of one object, `{"v","t","k","f","i","b"}`.
import { field } from "@aldis/protocol";
import { readPeerFields } from "../peer-json.ts";
import type { NodeId } from "./node-registry.ts";

/** What a message is: said to all, asked of one, or the answer to that. */
type MessageType = "say" | "ask" | "answer" | "refusal";

export type BusMessage = {
  readonly type: MessageType;
  /** Of an answer: that of its request. */
  readonly kind: string;
  readonly from: NodeId;
  /** Joins an answer to its request; 0 for what wants none. */
  readonly id: number;
  /** Of a refusal: its cause. */
  readonly body: unknown;
};

/** What this version writes. A later one may add fields; one that changes the meaning of these takes other kinds. */
const MESSAGE_VERSION = 1;
/** Characters. What is longer is not sent, and not read: a node that is broken, or not of ours, must not fill the memory of the others. */
export const MESSAGE_MAX_LENGTH = 4 * 1024 * 1024;
const TYPES: ReadonlySet<unknown> = new Set<MessageType>(["say", "ask", "answer", "refusal"]);
const WORD_MAX_LENGTH = 128;

/** Undefined: it is too long, or no JSON. */
export function writeMessage({ type, kind, from, id, body }: BusMessage): string | undefined {
  try {
    const text = JSON.stringify({ v: MESSAGE_VERSION, t: type, k: kind, f: from, i: id, b: body });
    return text.length > MESSAGE_MAX_LENGTH ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Undefined for what no node of ours has written. */
export function readMessage(text: string): BusMessage | undefined {
  const fields = text.length > MESSAGE_MAX_LENGTH ? undefined : readPeerFields(text);
  if (fields === undefined) return undefined;
  const [type, kind, from, id] = ["t", "k", "f", "i"].map((name) => field(fields, name));
  if (!TYPES.has(type) || !isWord(kind) || !isWord(from) || !Number.isSafeInteger(id)) {
    return undefined;
  }
  return { type: type as MessageType, kind, from, id: id as number, body: field(fields, "b") };
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= WORD_MAX_LENGTH;
}
