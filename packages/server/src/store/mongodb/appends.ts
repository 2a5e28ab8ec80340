// How logs are counted. A number is one more than the highest that can be read, and the unique index of the key lets one writer have it. So a number is
// there only when all before it are: nobody writes n + 1 who has not read n, and MongoDB confirms writes in the order in which they were made.
import type { Collection, Document } from "mongodb";
import type { CollectionShape } from "../collection.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { collectionName } from "./documents.ts";
import { byKey } from "./filters.ts";
import { Gathering } from "./gathering.ts";
import { allInTheWay, insertAll, type Stands } from "./inserts.ts";
import type { Attempt, MongoLink } from "./mongo-link.ts";

type Waiting = {
  readonly document: Document;
  readonly attempt: Attempt;
  readonly resolve: (stands: Stands) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * So many lines of one log go together. FerretDB cuts ordered writes into pieces of 100, and does not stop behind a piece with an error; the sums would not
 * be right then ({@link insertAll}).
 */
const BATCH_MAX = 100;

/** Appends to the logs of one collection. Those to one log wait for each other, so that only other nodes compete for its next number. */
export class Appends {
  readonly #shape: CollectionShape;
  readonly #counted: string;
  readonly #link: MongoLink;
  /** Logs that are written now, by tenant and key: at most as many as there are records that wait. */
  readonly #logs = new Map<string, Gathering<Waiting>>();

  constructor(shape: CollectionShape, counted: string, link: MongoLink) {
    this.#shape = shape;
    this.#counted = counted;
    this.#link = link;
  }

  append(document: Document, attempt: Attempt): Promise<Stands> {
    const { promise, resolve, reject } = Promise.withResolvers<Stands>();
    const name = JSON.stringify(this.#logOf(document));
    const log = this.#logs.get(name) ?? this.#open(name);
    log.add({ document, attempt, resolve, reject });
    return promise;
  }

  #open(name: string): Gathering<Waiting> {
    const run = async (items: Waiting[]): Promise<void> => {
      await this.#run(items);
      // What came meanwhile is still in it.
      setImmediate(() => {
        if (this.#logs.get(name)?.isIdle) this.#logs.delete(name);
      });
    };
    const log = new Gathering(run, {
      batchMax: Math.min(this.#link.batchMax, BATCH_MAX),
      atOnceMax: 1,
    });
    this.#logs.set(name, log);
    return log;
  }

  /** The tenant, and the key without its number. */
  #logOf(document: Document): unknown[] {
    const fields = ["tenant", ...this.#shape.key.slice(0, -1)];
    return fields.map((field) => document[field]);
  }

  async #run(items: Waiting[]): Promise<void> {
    let left = items;
    try {
      while (left.length > 0) {
        const some = left;
        left = await this.#link.inTime(() => this.#some(some));
      }
    } catch (error) {
      for (const { reject } of left) reject(error);
    }
  }

  /** Writes some of them; gives the others. */
  async #some(items: readonly Waiting[]): Promise<Waiting[]> {
    const left = items.filter(({ attempt }) => !attempt.isOver);
    for (const { attempt, reject } of items) {
      if (attempt.isOver) reject(new StoreUnavailable("MongoDB did not do it in time"));
    }
    const [first] = left;
    if (first === undefined) return [];
    const collection = this.#link.collection(collectionName(this.#shape));
    const highest = await this.#highest(collection, first.document);
    const numbered = left.map(({ document }, place) => ({
      ...document,
      [this.#counted]: highest + 1 + place,
    }));
    const copies = numbered.map((document) => ({ ...document }));
    const { duplicates, refused } = await insertAll(collection, copies, true);
    // In order, so that there is one at most that did not go, and nothing was tried behind it.
    const stopped = [...duplicates, ...refused.keys()].at(0) ?? left.length;
    this.#link.committed(stopped);
    for (const [place, { resolve }] of left.slice(0, stopped).entries()) {
      resolve({ written: true, document: numbered[place] ?? {} });
    }
    const stuck = left[stopped];
    if (stuck === undefined) return [];
    const behind = left.slice(stopped + 1);
    const error = refused.get(stopped);
    if (error !== undefined) {
      stuck.reject(error);
      return behind;
    }
    return await this.#settle(stuck, behind);
  }

  /**
   * Something was in the way of the first of them: the record itself, or another node's that took the number. All are looked for together: attack, many
   * repeats of one idempotency key, which would hold up the log for a round each.
   */
  async #settle(stuck: Waiting, behind: Waiting[]): Promise<Waiting[]> {
    const collection = this.#link.collection(collectionName(this.#shape));
    const all = [stuck, ...behind];
    const documents = all.map(({ document }) => document);
    const standing = await allInTheWay(collection, this.#shape, documents);
    const left = all.filter(({ resolve }, place) => {
      const document = standing[place];
      if (document !== undefined) resolve({ written: false, document });
      return document === undefined;
    });
    // Over: told in the next round.
    if (left[0] === stuck) await stuck.attempt.again().catch(() => {});
    return left;
  }

  /** Also of what is not confirmed yet: what is written behind that is confirmed after it. */
  async #highest(collection: Collection<Document>, document: Document): Promise<number> {
    const { key } = this.#shape;
    const { [this.#counted]: _, ...log } = byKey(
      this.#shape,
      document["tenant"],
      key.map((field) => document[field]),
    );
    const [last] = await collection
      .find(log, {
        sort: { [this.#counted]: -1 },
        limit: 1,
        projection: { [this.#counted]: 1 },
        hint: "key",
        readConcern: { level: "local" },
      })
      .toArray();
    return Number(last?.[this.#counted] ?? 0);
  }
}
