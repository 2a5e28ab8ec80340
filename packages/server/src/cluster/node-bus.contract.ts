import { expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import type { NodeBus } from "./node-bus.ts";

export type OpenedBus = AsyncDisposable & { readonly bus: NodeBus; readonly self: string };

/** What holds for every bus, with peers or without. */
export function nodeBusContract(name: string, open: () => Promise<OpenedBus>): void {
  test(`${name}: a node reaches itself as it reaches others`, async () => {
    await using opened = await open();
    const { bus, self } = opened;
    const heard: unknown[] = [];
    bus.on("double", (body, from) => [from, Number(body) * 2]);
    bus.on("note", (body, from) => heard.push([from, body]));
    expect(await bus.request(self, "double", 21)).toEqual({ ok: true, body: [self, 42] });
    bus.send(self, "note", { deep: ["x"] });
    await eventually("the note", () => heard.length === 1);
    expect(heard).toEqual([[self, { deep: ["x"] }]]);
  });

  test(`${name}: what nobody takes, what fails and who is not there is answered at once`, async () => {
    await using opened = await open();
    const { bus, self } = opened;
    bus.on("break", () => {
      throw new Error("broken");
    });
    bus.on("break later", () => Promise.reject(new Error("broken")));
    expect(await bus.request(self, "nothing", 1)).toEqual({ ok: false, cause: "unknown" });
    expect(await bus.request(self, "break", 1)).toEqual({ ok: false, cause: "failed" });
    expect(await bus.request(self, "break later", 1)).toEqual({ ok: false, cause: "failed" });
    expect(await bus.request("nobody-1", "nothing", 1)).toEqual({ ok: false, cause: "gone" });
    bus.send(self, "break", 1);
    bus.send("nobody-1", "break", 1);
  });

  test(`${name}: a broadcast goes to the others alone`, async () => {
    await using opened = await open();
    const { bus, self } = opened;
    let own = 0;
    bus.on("all", () => own++);
    bus.on("ping", () => 1);
    bus.broadcast("all", 1);
    await bus.request(self, "ping", 1);
    expect(own).toBe(0);
  });
}
