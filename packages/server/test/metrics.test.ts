import { describe, expect, test } from "bun:test";
import { eventually, RawClient, startTestGateway, type TestGateway } from "@aldis/testkit";
import { countPair } from "../src/observe/counters.ts";

const channel = "chat:lobby";
const docs = new URL("../../../docs/", import.meta.url);

type Sample = { readonly name: string; readonly labels: string; readonly value: number };

/** `/metrics` as Prometheus reads it: types by family, and the samples. */
async function scrape(gateway: TestGateway, headers?: HeadersInit) {
  const response = await fetch(`${gateway.url}/metrics`, {
    headers: headers ?? { authorization: `Bearer ${gateway.apiKey}` },
  });
  const text = await response.text();
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) types.set(type[1] ?? "", type[2] ?? "");
    const sample = /^([a-z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (sample === null) expect(line).toMatch(/^$|^# (HELP|TYPE) /);
    else samples.push({ name: sample[1] ?? "", labels: sample[2] ?? "", value: Number(sample[3]) });
  }
  const value = (name: string, labels = "") =>
    samples.find((sample) => sample.name === name && sample.labels === labels)?.value;
  return { response, text, types, samples, value };
}

describe("metrics", () => {
  test("count what happened", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const bob = await gateway.connect({ sub: "bob", tenant: "acme" });
    await ann.must("subscribe", { channel });
    await gateway.publish(channel, "hello");
    await ann.next("message");
    await ann.refused("subscribe", { channel: "no name" });
    await bob.close();
    const refused = await RawClient.open(`${gateway.wsUrl}?token=bad`);
    await refused.closed;
    await eventually("both are gone", () => gateway.gateway.counters.connectionsClosed === 2);
    const { value, response } = await scrape(gateway);
    expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
    expect(value("aldis_connections")).toBe(1);
    expect(value("aldis_sessions")).toBe(1);
    expect(value("aldis_connections_opened_total")).toBe(3);
    expect(value("aldis_connections_closed_total", 'cause="client_done"')).toBe(1);
    expect(value("aldis_connections_closed_total", 'cause="bad_token"')).toBe(1);
    expect(value("aldis_tokens_refused_total", 'cause="malformed"')).toBe(1);
    expect(value("aldis_commands_refused_total", 'code="bad_channel"')).toBe(1);
    expect(value("aldis_publications_total")).toBe(1);
    expect(value("aldis_deliveries_total")).toBe(1);
    expect(value("aldis_frames_received_total")).toBe(2);
    expect(value("aldis_frames_sent_total")).toBe(6);
    expect(value("aldis_received_bytes_total")).toBeGreaterThan(100);
    expect(value("aldis_sent_bytes_total")).toBeGreaterThan(500);
    expect(value("aldis_channels")).toBe(1);
    expect(value("aldis_presence_members")).toBe(1);
    expect(value("aldis_history_bytes")).toBeGreaterThan(50);
    expect(value("aldis_fan_out_seconds_count")).toBe(1);
    expect(value("aldis_auth_seconds_count")).toBe(3);
    expect(value("aldis_ready")).toBe(1);
    expect(value("aldis_http_requests_total", 'route="/api/publish",status="2xx"')).toBe(1);
    expect(value("aldis_http_request_seconds_count", 'route="/api/publish"')).toBe(1);
    expect(value("aldis_tenant_sessions", 'tenant="default"')).toBe(1);
    expect(value("aldis_tenant_sessions", 'tenant="acme"')).toBe(0);
    expect(value("aldis_tenant_publications_total", 'tenant="default"')).toBe(1);
    expect(value("process_open_fds")).toBeGreaterThan(3);
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e7);
    const again = await scrape(gateway);
    expect(again.value("aldis_publications_total")).toBe(1);
  });

  test("two gateways in one process count apart", async () => {
    await using first = await startTestGateway();
    await using second = await startTestGateway();
    await first.publish(channel, 1);
    expect((await scrape(first)).value("aldis_publications_total")).toBe(1);
    expect((await scrape(second)).value("aldis_publications_total")).toBe(0);
  });

  test("faults 14: a loop that is held up shows", async () => {
    const blockedMs = 400;
    await using gateway = await startTestGateway({
      pages: () => {
        for (const start = performance.now(); performance.now() < start + blockedMs; );
        return new Response();
      },
    });
    const late = async () => {
      const { value } = await scrape(gateway);
      const all = value("aldis_event_loop_lag_seconds_count") ?? 0;
      return all - (value("aldis_event_loop_lag_seconds_bucket", 'le="0.25"') ?? 0);
    };
    const before = await late();
    await fetch(`${gateway.url}/block`);
    await eventually("it is measured", async () => (await late()) > before);
  });

  test("[P7] want an API key, unless they are public", async () => {
    await using gateway = await startTestGateway();
    for (const headers of [{}, { authorization: "Bearer wrong" }]) {
      const response = await fetch(`${gateway.url}/metrics`, { headers });
      expect(response.status).toBe(401);
      expect(await response.text()).not.toContain("aldis_");
    }
    const post = await fetch(`${gateway.url}/metrics`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.apiKey}` },
    });
    expect(post.status).toBe(404);
    await using open = await startTestGateway({ config: { metrics: { public: true } } });
    expect((await scrape(open, {})).response.status).toBe(200);
  });

  test("P3: tenants and paths that clients make up do not make series", async () => {
    await using gateway = await startTestGateway({ config: { metrics: { tenantsMax: 3 } } });
    for (let n = 0; n < 12; n++) {
      await (await gateway.connect({ tenant: `made-up-${n}` })).close();
      await fetch(`${gateway.url}/made-up/${n}`);
      await fetch(`${gateway.url}/api/made-up-${n}/x`, { method: "PUT" });
    }
    const { samples, value } = await scrape(gateway);
    const tenants = samples.filter(({ name }) => name === "aldis_tenant_sessions_total");
    expect(tenants.map(({ labels }) => labels)).toEqual(
      ["default", "made-up-0", "made-up-1", "(other)"].map((name) => `tenant="${name}"`),
    );
    expect(value("aldis_tenant_sessions_total", 'tenant="(other)"')).toBe(10);
    expect(value("aldis_http_requests_total", 'route="(other)",status="4xx"')).toBe(12);
    expect(value("aldis_http_requests_total", 'route="/api/(other)",status="4xx"')).toBe(12);
    expect(samples.length).toBeLessThan(250);
  });
});

describe("docs/reference/metrics.md", () => {
  /** Rows as `name → type, labels`. */
  async function documented() {
    const page = await Bun.file(new URL("reference/metrics.md", docs)).text();
    const rows = [...page.matchAll(/^\| `([a-z_]+)` +\| (\w+) +\| ([^|]*?) +\|/gm)];
    return new Map(rows.map(([, name = "", type, labels = ""]) => [name, { type, labels }]));
  }

  test("has every metric with its type, and no other", async () => {
    await using gateway = await startTestGateway();
    const { types } = await scrape(gateway);
    const rows = await documented();
    expect([...rows].map(([name, { type }]) => `${name} ${type}`).sort()).toEqual(
      [...types].map(([name, type]) => `${name} ${type}`).sort(),
    );
  });

  test("names the labels", async () => {
    const config = {
      auth: { jwks: { url: "http://127.0.0.1:1/nothing-is-here" } },
      limits: { keyGuessesPerMinute: 1, connectionsPerUser: 1 },
      metrics: { public: true },
      outbound: { allowPrivate: ["127.0.0.1"] },
      // Nothing is there.
      backendCalls: { url: "http://127.0.0.1:1/", secret: `whsec_${"a".repeat(32)}` },
    };
    await using gateway = await startTestGateway({ config });
    for (const key of ["wrong", "again"]) await gateway.call("POST", "/api/publish", {}, key);
    await fetch(`${gateway.url}/ws`);
    const refused = await RawClient.open(`${gateway.wsUrl}?token=bad`);
    await refused.closed;
    const unknownKey = `${Buffer.from('{"alg":"ES256","kid":"a"}').toString("base64url")}.e30.AAAA`;
    await (await RawClient.open(`${gateway.wsUrl}?token=${unknownKey}`)).closed;
    const ann = await gateway.connect();
    await (await RawClient.open(`${gateway.wsUrl}?token=${await gateway.token()}`)).closed;
    await ann.refused("nothing", {});
    await ann.refused("rpc", { method: "m" });
    // Takes other nodes to happen.
    const { counters } = gateway.gateway;
    counters.busIgnored["late"] = 1;
    // Takes a Redis.
    counters.sessionsBroughtIn["parked"] = 1;
    counters.sessionsOverCeiling["user"] = 1;
    counters.ingestReceived["stream"] = 1;
    // Takes plugins.
    countPair(counters.pluginEvents, "chat", "sent");
    counters.pluginGauges.set("mine", new Map([["waiting", () => 1]]));
    countPair(counters.pluginFaults, "mine", "action vote");
    counters.ingestPublished["published"] = 1;
    counters.ingestRefused["unavailable"] = 1;
    counters.ingestDead["bad_request"] = 1;
    const { samples } = await scrape(gateway);
    const rows = await documented();
    const seen = new Set<string>();
    for (const { name, labels } of samples) {
      const family = rows.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
      const names = [...labels.matchAll(/([a-z]+)="/g)].map(([, label]) => label);
      if (names.length > 0) seen.add(family);
      const shown = names.filter((label) => label !== "le").map((label) => `\`${label}\``);
      expect([family, rows.get(family)?.labels]).toEqual([family, shown.join(", ")]);
    }
    // What is told of each shard, and of each queue, is seen where there is one.
    const absent = [...rows].filter(([name, { labels }]) => labels !== "" && !seen.has(name));
    const elsewhere = ["`shard`", "`queue`"];
    expect(absent.filter(([, { labels }]) => !elsewhere.includes(labels))).toEqual([]);
  });

  test("the alert rules are YAML and name metrics that there are", async () => {
    await using gateway = await startTestGateway();
    const { types } = await scrape(gateway);
    const rules = Bun.YAML.parse(await Bun.file(new URL("operate/alerts.yaml", docs)).text()) as {
      groups: { name: string; rules: { alert: string; expr: string }[] }[];
    };
    const all = rules.groups.flatMap((group) => group.rules);
    expect(all.length).toBeGreaterThan(8);
    for (const { alert, expr } of all) {
      const names = expr.match(/\b(aldis|process)_[a-z_]+/g) ?? [];
      expect([alert, names.length > 0]).toEqual([alert, true]);
      for (const name of names) expect([...types.keys()]).toContain(name.replace(/_bucket$/, ""));
    }
    // A page that promises an alert keeps it, and whoever is woken by one of a cluster finds what to do.
    const page = await Bun.file(new URL("reference/metrics.md", docs)).text();
    const promised = [...page.matchAll(/^\| `(\w+)`.*\(alert/gm)].map(([, name]) => name ?? "");
    expect(promised.length).toBeGreaterThan(10);
    const asked = all.map(({ expr }) => expr).join();
    expect(promised.filter((name) => !asked.includes(name))).toEqual([]);
    const cluster = rules.groups.find(({ name }) => name === "aldis-cluster")?.rules ?? [];
    const told = await Bun.file(new URL("operate/cluster.md", docs)).text();
    const rows = [...told.matchAll(/^\| `(Aldis\w+)`/gm)].map(([, name]) => name);
    expect(rows).toEqual(cluster.map(({ alert }) => alert));
  });
});
