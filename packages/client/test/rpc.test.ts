import { expect, test } from "bun:test";
import { startTestGateway } from "@aldis/testkit";
import { createClient } from "../src/index.ts";
import { RpcError, rpc } from "../src/rpc.ts";

test("[BC1] [BC2] the backend's answer is the result, its no an RpcError, and what it never heard an AldisError", async () => {
  const keys: (string | null)[] = [];
  await using server = Object.assign(
    Bun.serve({
      ...{ port: 0, hostname: "127.0.0.1" },
      async fetch(request) {
        keys.push(request.headers.get("idempotency-key"));
        const { method, data } = (await request.json()) as { method: string; data?: number };
        if (method === "twice") return Response.json({ result: (data ?? 0) * 2 });
        if (method === "silent") return new Response(null, { status: 204 });
        if (method === "broken") return new Response(null, { status: 400 });
        const error = { code: "sold_out", message: "none left", data: { left: 0 } };
        return Response.json({ error });
      },
    }),
    {
      async [Symbol.asyncDispose]() {
        await server.stop(true);
      },
    },
  );
  const secret = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
  await using gateway = await startTestGateway({
    config: {
      backendCalls: { url: `http://127.0.0.1:${server.port}/`, secret },
      outbound: { allowPrivate: ["127.0.0.1"] },
    },
  });
  const token = await gateway.token({ sub: "ann" });
  const client = createClient({ url: gateway.wsUrl, token, use: { rpc } });
  client.connect();
  await client.ready();
  const four: number = await client.rpc<number>("twice", 2);
  expect(four).toBe(4);
  expect(await client.rpc("silent", undefined, { idempotencyKey: "k" })).toBeNull();
  expect(keys).toEqual([null, "k"]);
  const no = await client.rpc("buy", "tea").catch((error: unknown) => error);
  expect(no).toBeInstanceOf(RpcError);
  expect(no).toMatchObject({ code: "sold_out", message: "none left", data: { left: 0 } });
  const broken = await client.rpc("broken").catch((error: unknown) => error);
  expect(broken).toMatchObject({ name: "AldisError", code: "unavailable", temporary: true });
  const wrong = await client.rpc("a b").catch((error: unknown) => error);
  expect(wrong).toMatchObject({ name: "AldisError", code: "bad_request" });
  client.close();
});
