/** A runtime against a real gateway: what it finds by itself, and what the gateway asks and tells it. */

import { createBackend } from "@aldis/backend";
import { eventually, freePort, SECRET } from "@aldis/testkit";
import { Webhook } from "standardwebhooks";
import { type FlakyProxy, startFlakyProxy } from "../support/flaky.ts";
import { withStore } from "../support/gateway.ts";
import { HOST_SECRET } from "./conformance.ts";
import { launch, type Runtime } from "./launch.ts";
import type { Given, Mismatch } from "./report.ts";

export type Outcome = { readonly areas: readonly string[]; readonly problems: readonly Mismatch[] };

/** No problems: all is well. */
export async function checkRuntime(
  runtime: Runtime,
  program: string,
  how: { readonly flags?: readonly string[]; readonly tellsUnsent?: boolean } = {},
): Promise<Outcome> {
  await using gateway = await withStore({ outbound: { allowPrivate: ["127.0.0.1"] } });
  await using shaky = await startFlakyProxy(gateway.url);
  await using host = await launch(runtime, program, how.flags);
  using control = serveControl(shaky);
  const given: Given = {
    url: gateway.url,
    apiKey: gateway.apiKey,
    jwtSecret: SECRET,
    shakyUrl: shaky.url,
    controlUrl: `http://127.0.0.1:${control.port}`,
    deadUrl: `http://127.0.0.1:${await freePort()}`,
    tellsUnsent: how.tellsUnsent ?? runtime !== "workerd",
    signed: signed(),
  };
  const answer = await fetch(`${host.url}/run`, { method: "POST", body: JSON.stringify(given) });
  const { areas, problems } = (await answer.json()) as Outcome;
  const asked = await askedByGateway(gateway, host.url);
  return { areas: [...areas, "asked"], problems: [...problems, ...asked] };
}

function serveControl(shaky: FlakyProxy) {
  const busy = { error: { code: "rate_limited", message: "", temporary: true, retryAfterMs: 5 } };
  const json = { "content-type": "application/json" };
  const answers: Readonly<Record<string, (count: number) => void>> = {
    drop: (count) => shaky.dropAnswers(count),
    swallow: (count) => shaky.swallowAnswers(count),
    silent: (count) => shaky.hang(count, "silent"),
    stalled: (count) => shaky.hang(count, "stalled"),
    html: (count) => shaky.answer(count, 502, { "content-type": "text/html" }, "<h1>Bad</h1>"),
    redirect: (count) => shaky.answer(count, 307, { location: "http://127.0.0.1:9/" }, ""),
    busy: (count) => shaky.answer(count, 429, json, JSON.stringify(busy)),
  };
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch({ url }) {
      const [, kind = "", count] = new URL(url).pathname.split("/");
      answers[kind]?.(Number(count));
      return new Response();
    },
  });
}

function signed(): Given["signed"] {
  const [secret, otherSecret] = [
    "a secret of 24 bytes, at least",
    "another of 24 bytes, at least",
  ].map((text) => `whsec_${btoa(text)}`) as [string, string];
  const body = JSON.stringify({ endpoint: "e1", events: [], data: "é🎈" });
  const at = (date: Date) => ({
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(date.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign("msg_1", date, body),
  });
  return {
    secret,
    otherSecret,
    body,
    now: at(new Date()),
    old: at(new Date(Date.now() - 310_000)),
  };
}

/** The runtime as a backend: clients' calls and the gateway's webhooks reach it. */
async function askedByGateway(
  gateway: Awaited<ReturnType<typeof withStore>>,
  url: string,
): Promise<Mismatch[]> {
  const { backendSettings, webhooks } = createBackend(gateway);
  await webhooks.create({ url, types: ["session.connected"], secret: HOST_SECRET });
  const subscribe = { namespaces: ["orders"] };
  await backendSettings.set({ url, subscribe, secret: HOST_SECRET });
  const ann = await gateway.connect({ sub: "ann" });
  const call = (method: string, data: unknown) => ann.must("rpc", { method, data });
  const got = {
    double: await call("double", 21),
    sold: await call("buy", 1),
    none: await call("constructor", 1),
    own: (await ann.must("subscribe", { channel: "orders:ann" })) !== undefined,
    others: (await ann.refused("subscribe", { channel: "orders:bo" })).code,
  };
  const wanted = {
    double: { result: 42 },
    sold: { error: { code: "sold_out", message: "none left", data: { left: 0 } } },
    none: { error: { code: "not_found", message: "no such method" } },
    own: true,
    others: "forbidden",
  };
  const events = { result: ["session.connected"] };
  await eventually(
    "the event to come",
    async () => JSON.stringify(await call("events", null)) === JSON.stringify(events),
    10_000,
  );
  const forged = await fetch(url, { method: "POST", body: "{}" });
  const told = { ...got, forged: forged.status };
  if (Bun.deepEquals(told, { ...wanted, forged: 401 })) return [];
  return [{ what: "asked", got: told, wanted }];
}
