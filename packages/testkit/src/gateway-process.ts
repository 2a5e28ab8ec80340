import { fileURLToPath } from "node:url";
import type { ConfigInput } from "@aldis/server";
import { accessTo, type GatewayAccess } from "./gateway-access.ts";
import type { FromGateway, Sample, ToGateway } from "./gateway-process-messages.ts";
import { freeze, letGo } from "./processes.ts";

const MAIN = fileURLToPath(new URL("gateway-process-main.ts", import.meta.url));

/** A gateway in a process of its own: what a test does costs it nothing, and it can be stopped and killed. */
export type GatewayProcess = AsyncDisposable &
  GatewayAccess & {
    readonly pid: number;
    readonly port: number;
    /** What it uses now. `collect`: after it has collected its garbage. */
    sample(options?: { readonly collect?: boolean }): Promise<Sample>;
    /** Sets its wall clock on by so much, or back; as an operator would, it is told nothing. */
    shiftClock(byMs: number): Promise<void>;
    /** Keeps its loop busy for so long: what no client may be able to do. */
    block(ms: number): Promise<void>;
    /** The lines that it has logged. */
    logged(): Promise<readonly string[]>;
    /** SIGTERM has it drain and end, as the command does. */
    kill(signal: "SIGTERM" | "SIGKILL"): void;
    /** Freezes it, until `resume`; done when it stands still. */
    pause(): Promise<void>;
    resume(): void;
    /** Its exit code, when it has ended. */
    readonly exited: Promise<number>;
  };

/** Starts one with the configuration of {@link startTestGateway}; `await using` ends it. */
export async function startGatewayProcess(config: ConfigInput = {}): Promise<GatewayProcess> {
  const waiting = new Map<number, (answer: FromGateway) => void>();
  let nextId = 1;
  const child = Bun.spawn([process.execPath, MAIN], {
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
    serialization: "json",
    ipc(answer: FromGateway) {
      waiting.get(answer.id)?.(answer);
      waiting.delete(answer.id);
    },
  });

  async function ask(question: ToGateway["ask"]): Promise<FromGateway> {
    const id = nextId++;
    const answer = new Promise<FromGateway>((resolve) => waiting.set(id, resolve));
    child.send({ id, ask: question } satisfies ToGateway);
    const ended = child.exited.then((code): never => {
      throw new Error(`the gateway ended with ${code} before it answered ${question.name}`);
    });
    return await Promise.race([answer, ended]);
  }

  const { port } = await ask({ name: "start", config });
  if (port === undefined) throw new Error("the gateway did not start");
  // By the real clock: whose clock is shifted, must not make the tokens that it judges.
  return Object.assign(accessTo(`http://127.0.0.1:${port}`), {
    pid: child.pid,
    port,
    async sample({ collect = false } = {}) {
      const { sample } = await ask({ name: "sample", collect });
      if (sample === undefined) throw new Error("the gateway gave no sample");
      return sample;
    },
    shiftClock: async (byMs: number) => void (await ask({ name: "shift clock", byMs })),
    block: async (ms: number) => void (await ask({ name: "block", ms })),
    logged: async () => (await ask({ name: "log" })).lines ?? [],
    kill: (signal: "SIGTERM" | "SIGKILL") => void child.kill(signal),
    pause: () => freeze(child.pid),
    resume: () => letGo(child.pid),
    exited: child.exited,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  });
}
