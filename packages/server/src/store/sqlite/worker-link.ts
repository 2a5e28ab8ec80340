import type { FromWorker, ToWorker } from "./messages.ts";

/** A thread, asked one thing at a time. */
export type WorkerLink = {
  /** Never rejects. */
  exchange(message: ToWorker): Promise<FromWorker>;
  /** Whether it has not answered yet. */
  readonly isBusy: boolean;
  readonly hasEnded: boolean;
  end(): void;
};

const ENDED: FromWorker = {
  from: "failed",
  failure: { code: "ENDED", message: "its thread has ended", unfit: false },
};

export function startWorker(): WorkerLink {
  const worker = new Worker(new URL("./worker.ts", import.meta.url));
  let answer: ((from: FromWorker) => void) | undefined;
  let hasEnded = false;

  function answered(from: FromWorker): void {
    const take = answer;
    answer = undefined;
    take?.(from);
  }

  function ended(): void {
    hasEnded = true;
    answered(ENDED);
  }

  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => answered(data);
  worker.onerror = (event) => {
    event.preventDefault();
    worker.terminate();
    ended();
  };
  worker.addEventListener("close", ended);
  return {
    exchange(message) {
      if (hasEnded) return Promise.resolve(ENDED);
      return new Promise((resolve) => {
        answer = resolve;
        worker.postMessage(message);
      });
    },
    get isBusy() {
      return answer !== undefined;
    },
    get hasEnded() {
      return hasEnded;
    },
    end: () => void worker.terminate(),
  };
}
