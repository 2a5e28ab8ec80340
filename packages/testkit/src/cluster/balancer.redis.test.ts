import { expect, test } from "bun:test";
import { eventually } from "../eventually.ts";
import { startTestGateway } from "../test-gateway.ts";
import { startBalancer } from "./balancer.ts";

test("a balancer spreads connections in turn over the nodes that are ready, and passes over who is taken out or drains", async () => {
  await using first = await startTestGateway({ config: { drain: { windowMs: 1 } } });
  await using second = await startTestGateway();
  const [one, two] = [first.gateway, second.gateway];
  await using balancer = startBalancer([one.port, two.port]);
  const connect = async () => {
    const socket = new WebSocket(`${balancer.wsUrl}?token=${await first.token()}`);
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    return socket;
  };
  await eventually("both get some", () => balancer.inTurn.length === 2);
  const sockets = await Promise.all([connect(), connect(), connect(), connect()]);
  expect([one.connections, two.connections]).toEqual([2, 2]);
  balancer.takeOut(two.port);
  sockets.push(await connect());
  expect([one.connections, two.connections]).toEqual([3, 2]);
  balancer.putBack(two.port);
  await one.drain();
  await eventually("it is out", () => balancer.inTurn.length === 1);
  sockets.push(await connect());
  expect(two.connections).toBe(3);
  for (const socket of sockets) socket.close();
});
