import { describe, expect, test } from "bun:test";
import { readUpgrade } from "./credentials.ts";
import { requestTarget } from "./request-target.ts";

function upgrade(path: string, subprotocols?: string) {
  const headers = new Headers();
  if (subprotocols !== undefined) headers.set("sec-websocket-protocol", subprotocols);
  const request = new Request(`http://localhost${path}`, { headers });
  return readUpgrade(request, requestTarget(request));
}

const tokenOf = (path: string, subprotocols?: string) =>
  upgrade(path, subprotocols).credentials?.token;

describe("[AU1] credentials of an upgrade", () => {
  test("nothing given is nothing shown", () => {
    for (const path of ["/ws", "/ws/", "/ws?x=1"])
      expect(upgrade(path)).toEqual({
        credentials: undefined,
        subprotocol: undefined,
        codec: "json",
        batch: false,
      });
  });

  test("the first of query, path and subprotocol that is present counts", () => {
    const bearer = "aldis.bearer.sub";
    expect(tokenOf("/ws/path?token=query", bearer)).toBe("query");
    expect(tokenOf("/ws/path", bearer)).toBe("path");
    expect(tokenOf("/ws", bearer)).toBe("sub");
    expect(tokenOf("/ws?token=", bearer)).toBe("");
  });

  test("the first bearer offered counts", () => {
    expect(tokenOf("/ws", "aldis.bearer.one, aldis.bearer.two")).toBe("one");
    expect(tokenOf("/ws", "other,aldis.bearer.one")).toBe("one");
    expect(tokenOf("/ws", "Aldis.Bearer.one")).toBeUndefined();
    expect(tokenOf("/ws", "x.aldis.bearer.one")).toBeUndefined();
  });

  test.each([
    ["aldis.json, aldis.bearer.t", "aldis.json"],
    ["aldis.bearer.t, aldis.json", "aldis.json"],
    ["aldis.bearer.t", "aldis.bearer.t"],
    ["aldis.json", "aldis.json"],
    ["other, aldis.bearer.t", "aldis.bearer.t"],
    ["other", undefined],
    ["", undefined],
    ["aldis.msgpack", "aldis.msgpack"],
    ["aldis.bearer.t, aldis.msgpack", "aldis.msgpack"],
    ["aldis.json, aldis.msgpack", "aldis.json"],
    ["aldis.msgpack, aldis.json", "aldis.msgpack"],
    ["aldis.msgpack.v2, aldis.bearer.t", "aldis.bearer.t"],
  ])("[MP1] of the subprotocols %p, %p is selected", (offered, selected) => {
    const read = upgrade("/ws", offered);
    expect(read.subprotocol).toBe(selected as string);
    expect(read.codec).toBe(selected === "aldis.msgpack" ? "msgpack" : "json");
    expect(read.credentials?.token).toBe(offered?.includes("bearer") ? "t" : undefined);
  });

  test("[SE2] a session is shown beside the token, or alone", () => {
    expect(upgrade("/ws?session=id.secret").credentials).toEqual({
      token: undefined,
      session: "id.secret",
      positions: undefined,
    });
    expect(upgrade("/ws/t?session=id.secret").credentials).toMatchObject({
      token: "t",
      session: "id.secret",
    });
  });

  test("a token comes through a query as it was sent", () => {
    const token = "a.b-c_d+e/f=";
    expect(tokenOf(`/ws?token=${encodeURIComponent(token)}`)).toBe(token);
  });

  test("two tokens in a query: the first", () => {
    expect(tokenOf("/ws?token=one&token=two")).toBe("one");
  });
});
