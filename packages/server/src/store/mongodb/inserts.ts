import type { Collection, Document } from "mongodb";
import type { CollectionShape } from "../collection.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { collectionName } from "./documents.ts";
import { batchOutcome, verdictOf } from "./errors.ts";
import { byKey, bySame } from "./filters.ts";
import { Gathering } from "./gathering.ts";
import type { Attempt, MongoLink } from "./mongo-link.ts";

/** Without what MongoDB adds itself. */
export const OWN = { projection: { _id: 0 } } as const;

/** The document that stands now, and whether it is the one that was to be written. */
export type Stands = { readonly written: boolean; readonly document: Document };

type Waiting = {
  readonly document: Document;
  readonly attempt: Attempt;
  readonly resolve: (isWritten: boolean) => void;
  readonly reject: (error: unknown) => void;
};

/** So many batches of one collection are under way at a time: one is being confirmed while the next one is on its way. */
const AT_ONCE_MAX = 2;

/** Adds documents to one collection, many in one command. */
export class Inserts {
  readonly #shape: CollectionShape;
  readonly #link: MongoLink;
  readonly #gathering: Gathering<Waiting>;

  constructor(shape: CollectionShape, link: MongoLink) {
    this.#shape = shape;
    this.#link = link;
    this.#gathering = new Gathering((items) => this.#run(items), {
      batchMax: link.batchMax,
      atOnceMax: AT_ONCE_MAX,
    });
  }

  /** Tries again as long as what was in the way is gone when it is looked for. */
  async insert(document: Document, attempt: Attempt): Promise<Stands> {
    for (;;) {
      if (await this.#once(document, attempt)) return { written: true, document };
      const standing = await inTheWay(this.#collection, this.#shape, document);
      if (standing !== null) return { written: false, document: standing };
      await attempt.again();
    }
  }

  get #collection(): Collection<Document> {
    return this.#link.collection(collectionName(this.#shape));
  }

  /** False: a unique index is in the way. */
  #once(document: Document, attempt: Attempt): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#gathering.add({ document, attempt, resolve, reject });
    return promise;
  }

  async #run(items: Waiting[]): Promise<void> {
    const late = items.filter(({ attempt }) => attempt.isOver);
    for (const { reject } of late) reject(new StoreUnavailable("MongoDB did not do it in time"));
    const left = items.filter(({ attempt }) => !attempt.isOver);
    if (left.length === 0) return;
    try {
      const { duplicates, refused } = await this.#link.inTime(() =>
        insertAll(this.#collection, left.map(copyOf), false),
      );
      this.#link.committed(left.length - duplicates.size - refused.size);
      for (const [place, { resolve, reject }] of left.entries()) {
        const error = refused.get(place);
        if (error === undefined) resolve(!duplicates.has(place));
        else reject(error);
      }
    } catch (error) {
      for (const { reject } of left) reject(error);
    }
  }
}

/** The driver puts an id into what it is given, which another try must not have. */
function copyOf({ document }: { readonly document: Document }): Document {
  return { ...document };
}

/** In order it ends with the first that does not go. Rejects when it is not known which were kept. */
export async function insertAll(
  collection: Collection<Document>,
  documents: Document[],
  ordered: boolean,
): Promise<ReturnType<typeof batchOutcome>> {
  try {
    await collection.insertMany(documents, { ordered });
    return { duplicates: new Set(), refused: new Map() };
  } catch (error) {
    return batchOutcome(error, { count: documents.length, ordered });
  }
}

/** The document that has the key of this one, or the same in a unique index; null: it is gone, or not confirmed yet. */
export async function inTheWay(
  collection: Collection<Document>,
  shape: CollectionShape,
  document: Document,
): Promise<Document | null> {
  const key = shape.key.map((field) => document[field]);
  const standing = await collection.findOne(byKey(shape, document["tenant"], key), OWN);
  return standing ?? (await sameInTheWay(collection, shape, document));
}

/** The same, by the unique indexes alone. */
export async function sameInTheWay(
  collection: Collection<Document>,
  shape: CollectionShape,
  document: Document,
): Promise<Document | null> {
  const [standing] = await allInTheWay(collection, shape, [document]);
  return standing ?? null;
}

/** For each of `documents` the one that has the same in a unique index, in one query for each index. */
export async function allInTheWay(
  collection: Collection<Document>,
  shape: CollectionShape,
  documents: readonly Document[],
): Promise<(Document | undefined)[]> {
  const standing: (Document | undefined)[] = documents.map(() => undefined);
  for (const { unique, fields } of Object.values(shape.indexes)) {
    if (!unique) continue;
    const filters = documents.flatMap((document) => bySame(fields, document) ?? []);
    if (filters.length === 0) continue;
    const found = await collection.find({ $or: filters }, OWN).toArray();
    const nameOf = (document: Document) => JSON.stringify(fields.map((field) => document[field]));
    const byName = new Map(found.map((document) => [nameOf(document), document]));
    for (const [place, document] of documents.entries()) {
      standing[place] ??= byName.get(nameOf(document));
    }
  }
  return standing;
}

export function isDuplicate(error: unknown): boolean {
  return verdictOf(error) === "duplicate";
}
