import { expect, test } from "bun:test";
import { storeMain } from "./main.ts";

test("the store's figures are taken", async () => {
  expect(await storeMain(["--records", "200", "--ms", "20"])).toBe(0);
  expect(await storeMain(["--records", "none"])).toBe(2);
});
