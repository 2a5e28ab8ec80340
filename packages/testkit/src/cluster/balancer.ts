import { startTcpProxy, type TcpProxy } from "../tcp-proxy.ts";
import { type Turns, watchTurns } from "./turns.ts";

/** Spreads new connections over the nodes that say they are ready, as a load balancer in front of them does. */
export type Balancer = AsyncDisposable &
  Omit<Turns, "next"> & {
    /** What it is made of: all that comes in goes through this. */
    readonly proxy: TcpProxy;
    /** `http://127.0.0.1:port` */
    readonly url: string;
    /** `ws://127.0.0.1:port/ws` */
    readonly wsUrl: string;
  };

/** In front of gateways on these ports of the loopback, in turn. `await using` ends it and cuts what goes through it. */
export function startBalancer(ports: readonly number[]): Balancer {
  const turns = watchTurns(ports);
  const proxy = startTcpProxy(() => turns.next());
  const host = `127.0.0.1:${proxy.port}`;
  return {
    proxy,
    url: `http://${host}`,
    wsUrl: `ws://${host}/ws`,
    get inTurn() {
      return turns.inTurn;
    },
    takeOut: turns.takeOut,
    putBack: turns.putBack,
    async [Symbol.asyncDispose]() {
      await turns[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}
