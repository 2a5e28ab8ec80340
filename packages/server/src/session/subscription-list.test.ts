import { expect, test } from "bun:test";
import { parseChannelName } from "@aldis/protocol";
import fc from "fast-check";
import { Subscription } from "../hub/subscription.ts";
import { SubscriptionList } from "./subscription-list.ts";

const subscriber = { connectionId: "c", userId: undefined, deliver: () => {}, lastDelivery: 0 };

function subscriptionTo(name: string): Subscription {
  const parsed = parseChannelName(name);
  if (!parsed.ok) throw new Error(parsed.message);
  return new Subscription(subscriber, parsed.value);
}

test("a list is what a Map would be, however it came about", () => {
  const step = fc.tuple(fc.constantFrom("add", "delete"), fc.constantFrom("a", "b", "c"));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const list = new SubscriptionList();
      const model = new Map<string, Subscription>();
      for (const [action, name] of steps) {
        const subscription = subscriptionTo(name);
        if (action === "add") {
          list.add(subscription);
          model.set(name, subscription);
        } else {
          list.delete(name);
          model.delete(name);
        }
        expect(list.size).toBe(model.size);
        expect([...list.values()]).toEqual([...model.values()]);
        for (const each of ["a", "b", "c"]) {
          expect(list.get(each)).toBe(model.get(each));
          expect(list.has(each)).toBe(model.has(each));
        }
      }
    }),
  );
});
