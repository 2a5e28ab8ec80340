import { eventually } from "@aldis/testkit";
import type { ParkedSession } from "../../parking.ts";
import { parked } from "../../session-store.contract.ts";
import { MARK } from "../../session-store.ts";
import type { SessionCluster, SessionNode } from "./session-cluster.ts";

/** As it stands when the client has got more. */
export function further(session: ParkedSession, offset: number): ParkedSession {
  const [first, ...others] = session.subscriptions;
  if (first === undefined) throw new Error("no subscription");
  const place = { offset, epoch: "e" };
  return { ...session, subscriptions: [{ ...first, place }, ...others] };
}

/** Connects on `node`, and waits until Redis knows. */
export async function connect(
  cluster: SessionCluster,
  node: SessionNode,
  id = "s1",
  stands = parked("ann"),
) {
  const session = node.live.add(id, stands);
  node.store.note(session, MARK.changed);
  await written(cluster, id, `1\n${node.self}\nl`);
  return session;
}

/** Waits until its record begins with this. */
export async function written(cluster: SessionCluster, id: string, start: string) {
  await eventually(`the record to begin with ${JSON.stringify(start)}`, async () => {
    cluster.clock.advance(200);
    return (await cluster.record(id)).startsWith(start);
  });
}
