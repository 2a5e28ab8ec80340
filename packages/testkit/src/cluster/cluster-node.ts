import type { ConfigInput } from "@aldis/server";
import { eventually } from "../eventually.ts";
import { freePort } from "../free-port.ts";
import { type GatewayProcess, startGatewayProcess } from "../gateway-process.ts";
import type { TcpProxy } from "../tcp-proxy.ts";
import { isReady } from "./turns.ts";

/** One gateway of a cluster: a process that can be ended and started again on its port. */
export type ClusterNode = AsyncDisposable & {
  readonly name: string;
  readonly port: number;
  /** The way that it alone has to Redis, when that is a single server. */
  readonly link: TcpProxy;
  /** The process of now; another one after a start. */
  readonly gateway: GatewayProcess;
  /** False while it is ended or stopped: it would not answer. */
  readonly running: boolean;
  /** Freezes it, until {@link ClusterNode.resume}; done when it stands still. */
  pause(): Promise<void>;
  resume(): void;
  /** `kill -9`; done when it has ended. */
  kill(): Promise<void>;
  /** SIGTERM: it drains. Gives its exit code when it has ended. */
  drain(): Promise<number>;
  /** After {@link kill} or {@link drain}; done when it is ready. `config` takes the place of fields of what it had. */
  start(config?: ConfigInput): Promise<void>;
  untilReady(): Promise<void>;
};

export type NodeParts = {
  readonly name: string;
  readonly link: TcpProxy;
  readonly config: ConfigInput;
};

/** Does not wait until it is ready. */
export async function startClusterNode({ name, link, config }: NodeParts): Promise<ClusterNode> {
  const port = freePort();
  const launch = (more: ConfigInput = {}) =>
    startGatewayProcess({ ...config, ...more, listen: { ...config.listen, ...more.listen, port } });
  let gateway = await launch();
  let running = true;

  async function ended(): Promise<number> {
    const code = await gateway.exited;
    running = false;
    return code;
  }

  async function untilReady(): Promise<void> {
    await eventually(`${name} is ready`, () => isReady(port));
  }

  return {
    name,
    port,
    link,
    get gateway() {
      return gateway;
    },
    get running() {
      return running;
    },
    async pause() {
      running = false;
      await gateway.pause();
    },
    resume() {
      gateway.resume();
      running = true;
    },
    async kill() {
      running = false;
      gateway.kill("SIGKILL");
      await ended();
    },
    async drain() {
      gateway.kill("SIGTERM");
      return await ended();
    },
    async start(more) {
      gateway = await launch(more);
      running = true;
      await untilReady();
    },
    untilReady,
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
