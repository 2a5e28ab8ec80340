/** Which targets may be called (SSRF), with a name server that the tests command. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { makeCertificates } from "@aldis/testkit";
import { startNameServer } from "./name-server.ts";
import { LOOPBACK, openClient, textOf } from "./support.ts";

const REFUSED = { kind: "refused", why: "address" } as const;

describe("faults 12: names", () => {
  test("SSRF: one private address among public ones is enough to be refused, whatever its form", async () => {
    await using names = await startNameServer();
    using client = openClient({ nameServers: [names.address] });
    const privates = [
      ...["10.0.0.1", "127.0.0.1", "169.254.169.254", "168.63.129.16", "100.100.100.200"],
      ...["::1", "fd00:ec2::254", "::ffff:a00:1", "64:ff9b::a00:1", "2002:a00:1::1", "fe80::1"],
    ];
    for (const [index, address] of privates.entries()) {
      const name = `n${index}.example.test`;
      names.answers.set(name, () => ["93.184.215.14", address]);
      expect(await client.post(`https://${name}/`)).toEqual(REFUSED);
    }
    expect(client.counted).toEqual(privates.map(() => "test refused"));
  });

  test("SSRF: the connection goes to the address that was checked, not to what the name means a moment later", async () => {
    await using names = await startNameServer();
    const seen: string[] = [];
    const serve = (hostname: string, port = 0) =>
      Bun.serve({
        ...{ hostname, port },
        fetch(request) {
          seen.push(`${hostname} ${request.headers.get("host")}`);
          return new Response("ok");
        },
      });
    const open = serve("127.0.0.2");
    const inside = serve("127.0.0.1", open.port);
    using client = openClient({ nameServers: [names.address], allowPrivate: ["127.0.0.2"] });
    const answers = [["127.0.0.2"], ["127.0.0.1"]];
    names.answers.set("rebind.example.test", () => answers.shift() ?? ["127.0.0.1"]);
    const url = `http://rebind.example.test:${open.port}/`;
    expect(textOf(await client.post(url))).toBe("ok");
    expect(names.asked).toEqual(["rebind.example.test"]);
    // When it is asked about again, it is refused, though a connection to the other one is still open.
    client.clock.advance(60_000);
    expect(await client.post(url)).toEqual(REFUSED);
    expect(seen).toEqual([`127.0.0.2 rebind.example.test:${open.port}`]);
    await Promise.all([open.stop(true), inside.stop(true)]);
  });

  test("P3: one that is asked about is remembered for seconds; a name server that does not answer holds up only who asks", async () => {
    await using names = await startNameServer();
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("ok") });
    const options = { nameServers: [names.address], allowPrivate: LOOPBACK };
    using client = openClient({ ...options, nameTimeoutMs: 1_000 });
    names.answers.set("silent.example.test", () => undefined);
    names.answers.set("good.example.test", () => ["127.0.0.1"]);
    const silent = client.post("http://silent.example.test/");
    for (let n = 0; n < 3; n++) {
      expect(textOf(await client.post(`http://good.example.test:${server.port}/`))).toBe("ok");
    }
    expect(names.asked.filter((name) => name.startsWith("good"))).toHaveLength(1);
    client.clock.advance(1_000);
    expect(await silent).toEqual({ kind: "failed", why: "name", sent: false });
    expect(await client.post("http://none.example.test/")).toMatchObject({ why: "name" });
    await server.stop(true);
  });

  test("those that the operator has named may be anywhere, and others may not", async () => {
    await using names = await startNameServer();
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("ok") });
    using client = openClient({ nameServers: [names.address], allowPrivate: ["*.localhost"] });
    const to = (name: string) => client.post(`http://${name}:${server.port}/`);
    expect(textOf(await to("backend.localhost"))).toBe("ok");
    expect(textOf(await to("BACKEND.localhost."))).toBe("ok");
    expect(await to("localhost")).toEqual(REFUSED);
    expect(await to("127.0.0.1")).toEqual(REFUSED);
    expect(await to("backend.localhost.example.test")).toEqual(REFUSED);
    await server.stop(true);
  });
});

test("faults 12: SSRF: what looks like something else is refused, and so is plain HTTP and another service's port", async () => {
  using client = openClient();
  const hosts = [
    ...["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0.0.0.0", "localhost"],
    ...["localhost.", "LOCALHOST", "a.localhost", "169.254.169.254", "[::1]", "[::]"],
    ...["[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "１２７.0.0.1"],
  ];
  for (const host of hosts) {
    expect(client.problemOf(`https://${host}/`)).toBe(
      "its address is not one of the open internet (whoever runs the gateway can allow it: outbound.allowPrivate)",
    );
    expect(await client.post(`https://${host}/`)).toEqual(REFUSED);
  }
  for (const url of ["http://1.1.1.1/", "https://1.1.1.1:25/", "https://a.example:22/"]) {
    expect(client.problemOf(url)).toBeString();
    expect(await client.post(url)).toEqual(REFUSED);
  }
  const none = [
    ...["ftp://1.1.1.1/", "file:///etc/passwd", "https://", "x", "https://u@1.1.1.1/", "//a/b"],
    ...["https://1.1.1.1:0/", "https://a b/", `https://1.1.1.1/${"x".repeat(2_100)}`],
    ...["https://good.example:x@10.0.0.1/", "https://a..b/", "unix:/run/docker.sock"],
  ];
  for (const url of none) {
    expect(client.problemOf(url)).toBe("it is no URL of a web server");
    expect(await client.post(url)).toEqual({ kind: "refused", why: "url" });
  }
  for (const url of [
    "https://1.1.1.1/",
    "https://münchen.example:8443/a?b",
    "https://[2606:4700::]/",
  ]) {
    expect(client.problemOf(url)).toBeUndefined();
  }
});

describe("TLS", () => {
  test("faults 12: the certificate must be that of the URL's host, whatever address it leads to", async () => {
    using certificates = makeCertificates();
    await using names = await startNameServer();
    const read = (file: string) => readFileSync(file, "utf8");
    const seen: string[] = [];
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { key: read(certificates.keyFile), cert: read(certificates.certFile) },
      fetch(request) {
        seen.push(request.headers.get("host") ?? "");
        return new Response("ok");
      },
    });
    const options = { nameServers: [names.address], allowPrivate: LOOPBACK };
    using client = openClient(options, { ca: read(certificates.caFile) });
    names.answers.set("other.example.test", () => ["127.0.0.1"]);
    expect(textOf(await client.post(`https://localhost:${server.port}/`))).toBe("ok");
    const other = await client.post(`https://other.example.test:${server.port}/`);
    expect(other).toEqual({ kind: "failed", why: "tls", sent: false });
    using stranger = openClient(options);
    const unknown = await stranger.post(`https://localhost:${server.port}/`);
    expect(unknown).toEqual({ kind: "failed", why: "tls", sent: false });
    expect(seen).toEqual([`localhost:${server.port}`]);
    await server.stop(true);
  });
});
