import { StoreUnavailable } from "../store-unavailable.ts";

/**
 * What an error of MongoDB or its driver means for what was asked. `duplicate`: another record has the same in a unique index. `refused`: no MongoDB
 * will take it, whoever asks how often. `unfit`: this one will not have us. `away`: the rest; what was to be written may have been written.
 */
export type Verdict = "duplicate" | "refused" | "unfit" | "away";

const VERDICTS: Readonly<Record<number, Verdict>> = {
  11000: "duplicate",
  2: "refused", // BadValue: also an index that somebody dropped
  9: "refused", // FailedToParse
  14: "refused", // TypeMismatch
  121: "refused", // DocumentValidationFailure: a rule that somebody gave the collection
  10334: "refused", // BSONObjectTooLarge
  13: "unfit", // Unauthorized
  18: "unfit", // AuthenticationFailed
  8000: "unfit", // AtlasError: a wrong password there
  85: "unfit", // IndexOptionsConflict: an index of that name is another one
  86: "unfit", // IndexKeySpecsConflict
};

const UNFIT_NAMES: ReadonlySet<string> = new Set([
  "MongoParseError",
  "MongoCompatibilityError",
  "MongoMissingDependencyError",
  "MongoMissingCredentialsError",
  "MongoInvalidArgumentError",
]);

export function verdictOf(error: unknown): Verdict {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  const byCode = typeof code === "number" ? VERDICTS[code] : undefined;
  if (byCode !== undefined) return byCode;
  return typeof name === "string" && UNFIT_NAMES.has(name) ? "unfit" : "away";
}

/** For the log: a code or a name, never the message, which may quote values. */
export function causeOf(error: unknown): string {
  const { code, codeName, name } = (error ?? {}) as Readonly<Record<string, unknown>>;
  return [name, codeName ?? code].filter((part) => part !== undefined).join(" ");
}

export function asUnavailable(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  return new StoreUnavailable("MongoDB is away, or did not do it in time", { cause: error });
}

/** What happened to the documents of one `insertMany`. */
export type BatchOutcome = {
  /** Places of those that a unique index kept out. */
  readonly duplicates: ReadonlySet<number>;
  /** By place, what else went wrong with one document alone. */
  readonly refused: ReadonlyMap<number, Error>;
};

/**
 * Reads a failed `insertMany` of `count` documents. Throws `StoreUnavailable` when it is not known what became of each: the driver gives an error of the
 * network the same form, without any document in it, and then nothing may be acknowledged (P4). So the numbers have to add up, too.
 */
export function batchOutcome(
  error: unknown,
  { count, ordered }: { readonly count: number; readonly ordered: boolean },
): BatchOutcome {
  const { writeErrors, insertedCount, result } = (error ?? {}) as BulkError;
  const failed = [writeErrors ?? []].flat();
  const tried = ordered ? (failed[0]?.index ?? 0) + 1 : count;
  const isConfirmed = result?.getWriteConcernError?.() === undefined;
  if (failed.length === 0 || !isConfirmed || insertedCount !== tried - failed.length) {
    throw asUnavailable(error);
  }
  const duplicates = new Set<number>();
  const refused = new Map<number, Error>();
  for (const one of failed) {
    const verdict = verdictOf(one);
    if (verdict === "away" || verdict === "unfit") throw asUnavailable(error);
    if (verdict === "duplicate") duplicates.add(one.index);
    else refused.set(one.index, new Refused(causeOf(one)));
  }
  return { duplicates, refused };
}

type WriteError = { readonly index: number; readonly code?: number };

type BulkError = {
  readonly writeErrors?: WriteError | readonly WriteError[];
  readonly insertedCount?: number;
  /** The majority did not confirm in time. */
  readonly result?: { readonly getWriteConcernError?: () => unknown };
};

/** No MongoDB would take this, whoever asks how often; it says nothing about how MongoDB is. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(cause: string) {
    super(`the store refused it: ${cause}`);
  }
}
