import { type ConfigInput, createRandomIds } from "@aldis/server";
import { eventually, startTestGateway, type TestGateway } from "@aldis/testkit";

export type Nodes = AsyncDisposable & {
  readonly all: readonly TestGateway[];
  /** The gateway at this place. */
  at(place: number): TestGateway;
};

/** Gateways in this process over the same Redis; ready when each knows all others. */
export async function startNodes(
  broker: string,
  { count = 2, config = {} }: { readonly count?: number; readonly config?: ConfigInput } = {},
): Promise<Nodes> {
  await using opened = new AsyncDisposableStack();
  const random = createRandomIds();
  const all = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const cluster = { heartbeatMs: 50, leaseMs: 10_000, ...config.cluster, node: `n${n}` };
      return opened.use(await startTestGateway({ config: { ...config, broker, cluster }, random }));
    }),
  );
  await eventually("the nodes to know each other", async () => {
    const counts = await Promise.all(all.map(async (node) => (await nodesOf(node)).length));
    return counts.every((known) => known === count);
  });
  const kept = opened.move();
  return {
    all,
    at(place) {
      const node = all[place];
      if (node === undefined) throw new Error(`no node ${place}`);
      return node;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the document of the API judges its shape
export async function nodesOf(node: TestGateway): Promise<any[]> {
  return (await node.call("GET", "/api/cluster/nodes")).body.nodes;
}
