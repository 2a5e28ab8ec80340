import { FIELD_LIMITS, type Fields, optionalInteger } from "@aldis/protocol";
import type { BusAnswer, NodeBus } from "../../cluster/node-bus.ts";
import type { NodeRegistry } from "../../cluster/node-registry.ts";

export type AskDeps = {
  readonly registry: Pick<NodeRegistry, "self" | "others">;
  readonly bus: NodeBus;
};

/** What nodes have answered, and who has not: of a node that is gone nothing is missing. */
export type Answers<T> = { readonly values: readonly T[]; readonly missing: readonly string[] };

export type Question = {
  readonly nodes: readonly string[];
  readonly kind: string;
  readonly body: object;
};

/** Undefined: it is no such answer. */
export type ReadAnswer<T> = (body: unknown) => T | undefined;

/** Asks others, all at once. */
export async function askOthers<T>(
  { bus }: AskDeps,
  { nodes, kind, body }: Question,
  read: ReadAnswer<T>,
): Promise<Answers<T>> {
  const asked = nodes.map(async (node) => ({
    node,
    answer: await bus.request(node, kind, body),
  }));
  const values: T[] = [];
  const missing: string[] = [];
  for (const { node, answer } of await Promise.all(asked)) {
    const value = valueIn(answer, read);
    if (value !== undefined) values.push(value);
    else if (!isGone(answer)) missing.push(node);
  }
  return { values, missing };
}

export function valueIn<T>(answer: BusAnswer, read: ReadAnswer<T>): T | undefined {
  return answer.ok ? read(answer.body) : undefined;
}

export function isGone(answer: BusAnswer): boolean {
  return !answer.ok && answer.cause === "gone";
}

/** How many values the other node wants. */
export function limitIn(fields: Fields): number {
  return optionalInteger(fields, "limit", { min: 1, max: FIELD_LIMITS.pageMax }) ?? 1;
}
