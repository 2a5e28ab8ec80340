// The thread of one connection: nothing of the database runs on the loop of the gateway.
import { Connection, failureOf } from "./connection.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

declare const self: {
  onmessage: ((event: { readonly data: ToWorker }) => void) | null;
  postMessage(message: FromWorker): void;
};

let connection: Connection | undefined;

self.onmessage = ({ data }) => {
  try {
    self.postMessage({ from: "done", answers: answer(data) });
  } catch (error) {
    self.postMessage({ from: "failed", failure: failureOf(error) });
  }
};

function answer(message: ToWorker) {
  switch (message.to) {
    case "open":
      connection?.close();
      connection = undefined;
      connection = new Connection(message.request);
      return [];
    case "run":
      if (connection === undefined) throw new Error("it is not open");
      return connection.run(message.batch);
    case "close":
      connection?.close();
      connection = undefined;
      return [];
    default:
      return message satisfies never;
  }
}
