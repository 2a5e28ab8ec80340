/** Routes of plugins over HTTP. */
import { describe, expect, test } from "bun:test";
import { createFakeClock, startTestGateway } from "@aldis/testkit";
import { definePlugin, pluginRoute, refusal, z } from "../../src/plugins/index.ts";

const notes = definePlugin({
  name: "notes",
  routes: [
    pluginRoute(
      {
        method: "post",
        path: "/api/notes/{note}",
        access: "send",
        users: true,
        tag: "Notes",
        summary: "Writes a note",
        description: "For tests: gives back what came and who sent it.",
        params: z.object({ note: z.string().max(5) }),
        query: z.strictObject({ loud: z.enum(["yes", "no"]).optional() }),
        body: z.object({ text: z.string() }),
        answer: z.looseObject({ by: z.string(), tenant: z.string() }),
        refusals: ["not_found"],
        example: { path: { note: "a" }, body: { text: "hi" } },
      },
      ({ tenant, caller, params, query, body }) => {
        if (params.note === "gone") throw refusal("not_found", "no such note");
        return { by: caller?.userId ?? "backend", tenant, ...params, ...query, ...body };
      },
    ),
    pluginRoute(
      {
        method: "get",
        path: "/api/notes",
        access: "read",
        tag: "Notes",
        summary: "Breaks, for tests",
        description: "For tests: throws, as plugins may.",
        answer: z.object({}),
      },
      () => {
        throw new Error("broken");
      },
    ),
  ],
});

const read = "read-only-key-0123456789abcdef";
const config = {
  api: {
    keys: [
      { key: "test-api-key-0123456789abcdef", scopes: ["*" as const] },
      { key: read, scopes: ["read" as const] },
    ],
  },
  limits: { keyGuessesPerMinute: 3, messagesPerUserPerMinute: 2 },
};

describe("routes of plugins", () => {
  test("take keys with their scope and, where they say so, users with their token", async () => {
    await using gateway = await startTestGateway({ plugins: [notes], config });
    const call = (key?: string) =>
      gateway.call("POST", "/api/notes/a?loud=yes", { text: "t" }, key);
    const same = { tenant: "default", note: "a", loud: "yes", text: "t" };
    expect(await call()).toEqual({ status: 200, body: { by: "backend", ...same } });
    expect(await call(await gateway.token({ sub: "bob" }))).toEqual({
      status: 200,
      body: { by: "bob", ...same },
    });
    expect((await call(await gateway.token({ tenant: "acme" }))).body.tenant).toBe("acme");
    expect((await call(read)).status).toBe(403);
    expect((await gateway.call("GET", "/api/notes", undefined, await gateway.token())).status).toBe(
      401,
    );
  });

  test("check path, query and body, and refuse in their own words", async () => {
    await using gateway = await startTestGateway({ plugins: [notes] });
    const status = async (path: string, body: unknown) =>
      (await gateway.call("POST", `/api/notes/${path}`, body)).status;
    expect(await status("toolong", { text: "t" })).toBe(400);
    expect(await status("a?loud=7", { text: "t" })).toBe(400);
    expect(await status("a?other=7", { text: "t" })).toBe(400);
    expect(await status("a", {})).toBe(400);
    expect(await status("gone", { text: "t" })).toBe(404);
    expect(await status("%zz", { text: "t" })).toBe(400);
    expect(await gateway.call("GET", "/api/notes")).toMatchObject({
      status: 500,
      body: { error: { code: "internal" } },
    });
    expect(gateway.gateway.counters.pluginFaults.get("notes")).toEqual({
      "route get /api/notes": 1,
    });
  });

  test("wrong tokens count as guesses, and a user's calls as their messages", async () => {
    const clock = createFakeClock();
    await using gateway = await startTestGateway({ plugins: [notes], config, clock });
    const call = (key: string) => gateway.call("POST", "/api/notes/a", { text: "t" }, key);
    const token = await gateway.token();
    const statuses = [];
    for (let n = 0; n < 3; n++) statuses.push((await call(token)).status);
    for (let n = 0; n < 4; n++) statuses.push((await call(`wrong-${n}`)).status);
    expect(statuses).toEqual([200, 200, 429, 401, 401, 401, 429]);
  });

  test("[HT5] stand in the OpenAPI document", async () => {
    await using gateway = await startTestGateway({ plugins: [notes] });
    const document = await (await fetch(`${gateway.url}/openapi.json`)).json();
    const operation = document.paths["/api/notes/{note}"].post;
    expect(operation.security).toEqual([{ apiKey: [] }, { userToken: [] }]);
    expect(Object.keys(operation.responses)).toContain("503");
    expect(document.tags.map(({ name }: { name: string }) => name)).toContain("Notes");
    expect((await (await fetch(`${gateway.url}/docs`)).text()).includes("Writes a note")).toBe(
      true,
    );
  });
});
