import { expect, test } from "bun:test";
import fc from "fast-check";
import { createOwnSecret } from "../secrets/shared-secret.ts";
import { createCursors } from "./cursors.ts";

const cursors = createCursors(createOwnSecret(Buffer.alloc(32, 7)).keysFor("cursors"));
const place = fc.oneof(fc.nat(), fc.string({ unit: "binary", maxLength: 255 }));
const listing = fc.string({ unit: "binary", maxLength: 30 });

test("a cursor leads back to its place, in its own list alone", () => {
  fc.assert(
    fc.property(place, listing, listing, (at, one, other) => {
      const cursor = cursors.write(one, at);
      expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(cursors.read(one, cursor)).toEqual({ ok: true, value: at });
      if (one !== other) expect(cursors.read(other, cursor).ok).toBe(false);
    }),
  );
});

test("P2: what was not written here is refused, whatever it is", () => {
  const others = createCursors(createOwnSecret(Buffer.alloc(32, 8)).keysFor("cursors"));
  fc.assert(
    fc.property(place, fc.string({ unit: "binary" }), fc.nat(), (at, text, n) => {
      expect(cursors.read("list", text).ok).toBe(false);
      expect(cursors.read("list", others.write("list", at)).ok).toBe(false);
      const cursor = cursors.write("list", at);
      const index = n % cursor.length;
      const letter = cursor[index] === "A" ? "B" : "A";
      const changed = cursor.slice(0, index) + letter + cursor.slice(index + 1);
      expect(cursors.read("list", changed).ok).toBe(false);
      expect(cursors.read("list", `${cursor}A`).ok).toBe(false);
      expect(cursors.read("list", `${cursor}=`).ok).toBe(false);
    }),
  );
});
