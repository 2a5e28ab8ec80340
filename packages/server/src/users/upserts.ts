// What backends change in the directory (US10, US11).
import { FieldError, type Json, refuse } from "@aldis/protocol";
import type { Blocks } from "./blocks.ts";
import type { ProfileRecord } from "./collections.ts";
import { type Directory, type Draft, NO_PROFILE, type Whose } from "./directory.ts";
import { givenAfter, type ProfileChange, sameProfile } from "./profile.ts";

export type UpsertDeps = {
  readonly directory: Pick<Directory, "edit" | "remove">;
  readonly blocks: Pick<Blocks, "removeAll">;
  /** Nothing of the user is remembered any more, on no node. */
  forget(whose: Whose): void;
};

export function createUpserts({ directory, blocks, forget }: UpsertDeps, dataMaxBytes: number) {
  async function upsert(whose: Whose, change: ProfileChange): Promise<ProfileRecord> {
    const { data } = change;
    if (data !== undefined && sizeOf(data) > dataMaxBytes) {
      throw new FieldError(refuse("too_large", `\`data\` has at most ${dataMaxBytes} bytes`));
    }
    const record = await directory.edit(whose, (known) => drafted(known, change));
    // It is there: what is not there is always written.
    if (record === undefined) throw new TypeError("nothing was written");
    return record;
  }

  return {
    upsert,
    /** In their order; changes of the same user one after another. Each is made, or refused, by itself. */
    async upsertAll(
      changes: readonly (Whose & { readonly change: ProfileChange })[],
    ): Promise<readonly PromiseSettledResult<ProfileRecord>[]> {
      const last = new Map<string, Promise<unknown>>();
      const made = changes.map(({ change, ...whose }) => {
        const before = last.get(whose.userId) ?? Promise.resolve();
        const next = before.catch(() => undefined).then(() => upsert(whose, change));
        last.set(whose.userId, next);
        return next;
      });
      return Promise.allSettled(made);
    },
    async remove(whose: Whose): Promise<boolean> {
      await blocks.removeAll(whose);
      const removed = await directory.remove(whose);
      forget(whose);
      return removed;
    },
  };
}

export type Upserts = ReturnType<typeof createUpserts>;

/** Undefined: it would change nothing. */
function drafted(known: ProfileRecord | undefined, change: ProfileChange): Draft | undefined {
  const given = givenAfter(known?.given ?? NO_PROFILE, change);
  const data = change.data === undefined ? known?.data : (change.data ?? undefined);
  const draft = {
    claimed: known?.claimed ?? NO_PROFILE,
    given,
    data,
    lastSeenAt: known?.lastSeenAt ?? 0,
  };
  const isSame =
    known !== undefined &&
    sameProfile(known.given, given) &&
    JSON.stringify(known.data) === JSON.stringify(data);
  return isSame ? undefined : draft;
}

function sizeOf(data: Json): number {
  try {
    return Buffer.byteLength(JSON.stringify(data));
  } catch {
    // Attack: nesting that the parser takes and the serialiser's stack does not.
    throw new FieldError(refuse("bad_request", "`data` is nested too deeply"));
  }
}
