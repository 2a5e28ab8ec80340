import { expect, test } from "bun:test";
import { judge } from "./attempt.ts";

test("[WH2] what names the operator's network has is not to be found out: a private address is told as none", () => {
  const hidden = judge({ kind: "refused", why: "address" }, 0, 1_000);
  const unknown = judge({ kind: "failed", why: "name", sent: false }, 0, 1_000);
  expect(hidden).toEqual({ kind: "failed", why: "no address" });
  expect(unknown).toEqual(hidden);
});
