import { expect } from "bun:test";
import { Webhook } from "standardwebhooks";
import type { OutboundOutcome, OutboundRequest } from "../../plugins/index.ts";

export type SentEvent = {
  readonly id: string;
  readonly seq: number;
  readonly type: string;
  readonly data: { readonly id?: string };
  readonly replayed?: true;
};
export type Got = {
  readonly id: string;
  readonly body: string;
  readonly timestamp: number;
  readonly signatures: readonly string[];
  readonly events: readonly SentEvent[];
};

export function answered(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): OutboundOutcome {
  return { kind: "answered", status, headers, body: new Uint8Array() };
}

/** The other side: keeps what it got, and answers as it is told. */
export class Receiver {
  readonly got: Got[] = [];
  /** What it makes of the next request; default: it takes everything. */
  answer: (got: Got, request: OutboundRequest) => OutboundOutcome | Promise<OutboundOutcome> = () =>
    answered(200);

  readonly receive = async (request: OutboundRequest): Promise<OutboundOutcome> => {
    const body = request.body.toString();
    const { headers } = request;
    const got = {
      id: headers["Webhook-Id"] ?? "",
      body,
      timestamp: Number(headers["Webhook-Timestamp"]),
      signatures: (headers["Webhook-Signature"] ?? "").split(" "),
      events: JSON.parse(body).events,
    };
    this.got.push(got);
    return await this.answer(got, request);
  };

  /** Ids of the events of each request. */
  get ids(): readonly (readonly string[])[] {
    return this.got.map(({ events }) => events.map(({ id }) => id));
  }
}

/** That a library of others' says the same of who sent it. */
export function expectSigned({ id, timestamp, body, signatures }: Got, secrets: readonly string[]) {
  const right = secrets.map((secret) =>
    new Webhook(secret).sign(id, new Date(timestamp * 1_000), body),
  );
  expect(signatures).toEqual(right);
}
