import { isIP } from "node:net";
import { z } from "zod";
import { allowProblem } from "../outbound/target.ts";

const positive = (doc: string, unit?: string) =>
  z
    .number()
    .int()
    .min(1)
    .max(1e9)
    .meta({ doc, ...(unit !== undefined && { unit }) });

const problemed = (problemOf: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = problemOf(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

/** Requests to servers that tenants and users name. */
export const outboundSchema = z.strictObject({
  allowPrivate: z.array(problemed(allowProblem)).max(1_000).default([]).meta({
    doc: "Addresses, ranges and hosts that may be called though they are not of the open internet, and by plain HTTP: `10.1.0.0/16`, `backend.internal`, `*.svc.cluster.local`. Tenants choose what is called: whatever can be reached by these is open to all of them",
  }),
  timeoutMs: positive("No request takes longer, whatever asks for it", "ms").default(30_000),
  nameServers: z.array(problemed(nameServerProblem)).max(10).default([]).meta({
    doc: "Name servers to ask, as `address` or `address:port`; none: those of the system",
  }),
  nameTimeoutMs: positive("How long a name server may take", "ms").default(3_000),
  connectionsPerOrigin: positive("Requests under way to one server at a time").default(32),
  connectionsMax: positive("Requests under way to all servers at a time").default(1_000),
  waitingMax: positive("Requests that wait for their turn; more fail at once").default(10_000),
  idleMs: positive(
    "How long a connection is kept without a request; below what servers keep them, or they close them under a request",
    "ms",
  ).default(4_000),
  idleMax: positive("Connections kept without a request; the longest unused are closed").default(
    200,
  ),
});

function nameServerProblem(server: string): string | undefined {
  const [, bracketed, plain, port = ""] =
    /^(?:\[([^\]]+)\]|([\d.]+))(?::(\d{1,5}))?$/.exec(server) ?? [];
  if (isIP(server) !== 0) return undefined;
  const isServer = isIP(bracketed ?? plain ?? "") !== 0 && Number(port) <= 65_535;
  return isServer ? undefined : "is no address, or address with a port, such as 10.0.0.2:53";
}
