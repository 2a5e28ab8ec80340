import type { Collection, Document } from "mongodb";
import type { TenantId } from "../../tenant/tenant.ts";
import { checkConditions, checkQuery, KEYS_MAX, limitOf } from "../check-query.ts";
import type { CollectionShape } from "../collection.ts";
import { changeOf, keyOf, rowOf, type Value } from "../row.ts";
import type { Conditions, Key, Query, Records, Swept, Written } from "../store.ts";
import { Appends } from "./appends.ts";
import { bytesOf, collectionName, documentOf, recordIn } from "./documents.ts";
import { behind, byKey, byKeys, filterOf, sortOf, sweepSort } from "./filters.ts";
import { Inserts, isDuplicate, OWN, type Stands, sameInTheWay } from "./inserts.ts";
import type { Attempt, MongoLink } from "./mongo-link.ts";

/** What the documents of one collection say. A document changes at once, so that each call is one command, or one that is repeated. */
export class MongoRecords<R extends object> implements Records<R> {
  readonly #shape: CollectionShape;
  readonly #link: MongoLink;
  readonly #inserts: Inserts;
  readonly #appends: Appends | undefined;

  constructor(shape: CollectionShape, link: MongoLink) {
    this.#shape = shape;
    this.#link = link;
    this.#inserts = new Inserts(shape, link);
    this.#appends =
      shape.counted === undefined ? undefined : new Appends(shape, shape.counted, link);
  }

  async get(tenant: TenantId, key: Key<R>): Promise<R | undefined> {
    const filter = byKey(this.#shape, tenant, keyOf(this.#shape, key));
    return this.#record(await this.#link.read(() => this.#collection.findOne(filter, this.#own)));
  }

  async getMany(tenant: TenantId, keys: readonly Key<R>[]): Promise<readonly (R | undefined)[]> {
    if (keys.length > KEYS_MAX) throw new TypeError(`at most ${KEYS_MAX} keys`);
    if (keys.length === 0) return [];
    const values = keys.map((key) => keyOf(this.#shape, key));
    const filter = byKeys(this.#shape, tenant, values);
    const found = await this.#link.read(() => this.#collection.find(filter, this.#own).toArray());
    const byName = new Map(found.map((one) => [JSON.stringify(this.#keyIn(one)), one]));
    return values.map((key) => this.#record(byName.get(JSON.stringify(key)) ?? null));
  }

  async list(tenant: TenantId, query: Query<R>): Promise<readonly R[]> {
    const found = await this.#found(tenant, query, OWN.projection);
    return found.map((document) => recordIn<R>(this.#shape, document));
  }

  async count(tenant: TenantId, query: Query<R>): Promise<number> {
    const checked = checkQuery(this.#shape, query);
    const filter = filterOf(tenant, checked);
    const options = {
      ...{ limit: checked.limit, hint: checked.index },
      maxTimeMS: this.#link.readMaxMs,
    };
    return await this.#link.read(() => this.#collection.countDocuments(filter, options));
  }

  async insert(tenant: TenantId, record: R): Promise<Written<R>> {
    const document = documentOf(this.#shape, tenant, rowOf(this.#shape, record));
    const run = (attempt: Attempt) => this.#inserts.insert(document, attempt);
    return this.#written(await this.#link.write(run, bytesOf(document)));
  }

  async append(tenant: TenantId, record: R): Promise<Written<R>> {
    const appends = this.#appends;
    const { name, counted } = this.#shape;
    if (appends === undefined || counted === undefined) {
      throw new TypeError(`${name} counts nothing`);
    }
    const row = rowOf(this.#shape, { ...record, [counted]: 0 });
    const document = documentOf(this.#shape, tenant, row);
    const run = (attempt: Attempt) => appends.append(document, attempt);
    return this.#written(await this.#link.write(run, bytesOf(document)));
  }

  async put(tenant: TenantId, record: R, where?: Conditions<R>): Promise<Written<R>> {
    const document = documentOf(this.#shape, tenant, rowOf(this.#shape, record));
    const conditions = checkConditions(this.#shape, where);
    const filter = byKey(this.#shape, tenant, this.#keyIn(document), conditions);
    const isFree = conditions.length === 0;
    const run = async (attempt: Attempt): Promise<Stands> => {
      for (;;) {
        const replaced = await this.#replace(filter, document, isFree);
        if (replaced === true) return { written: true, document };
        if (replaced === false && !isFree) return await this.#inserts.insert(document, attempt);
        const other = await this.#otherInTheWay(document);
        if (other !== null) return { written: false, document: other };
        await attempt.again();
      }
    };
    return this.#written(await this.#link.write(run, bytesOf(document)));
  }

  async update(
    tenant: TenantId,
    key: Key<R>,
    change: Partial<R>,
    where?: Conditions<R>,
  ): Promise<R | undefined> {
    const changes = [...changeOf(this.#shape, change)];
    const conditions = checkConditions(this.#shape, where);
    const filter = byKey(this.#shape, tenant, keyOf(this.#shape, key), conditions);
    if (changes.length === 0) {
      return this.#record(await this.#link.read(() => this.#collection.findOne(filter, this.#own)));
    }
    const set = Object.fromEntries(changes.filter(([, value]) => value !== null));
    const cleared = changes.filter(([, value]) => value === null).map(([field]) => [field, ""]);
    const changed = {
      ...(Object.keys(set).length > 0 && { $set: set }),
      ...(cleared.length > 0 && { $unset: Object.fromEntries(cleared) }),
    };
    const options = { returnDocument: "after" } as const;
    const run = () => this.#collection.findOneAndUpdate(filter, changed, options);
    return this.#record(await this.#link.write(() => this.#write(run, null), bytesOf(set)));
  }

  async remove(tenant: TenantId, key: Key<R>, where?: Conditions<R>): Promise<boolean> {
    const conditions = checkConditions(this.#shape, where);
    const filter = byKey(this.#shape, tenant, keyOf(this.#shape, key), conditions);
    const { deletedCount } = await this.#link.write(() => this.#collection.deleteOne(filter));
    this.#link.committed(deletedCount);
    return deletedCount === 1;
  }

  async removeSome(tenant: TenantId, query: Query<R>): Promise<number> {
    const found = await this.#found(tenant, query, { _id: 1 });
    if (found.length === 0) return 0;
    // What has changed meanwhile, so that it is not meant any more, stays.
    const filter = filterOf(tenant, checkQuery(this.#shape, query));
    const meant = { $and: [{ _id: { $in: found.map(({ _id }) => _id) } }, filter] };
    const { deletedCount } = await this.#link.write(() => this.#collection.deleteMany(meant));
    this.#link.committed(deletedCount);
    return deletedCount;
  }

  async sweep(after: Swept<R> | undefined, limit: number): Promise<readonly Swept<R>[]> {
    const options = {
      ...{ ...this.#own, sort: sweepSort(this.#shape), hint: "key" },
      limit: limitOf(this.#shape, limit),
    };
    const from = after && documentOf(this.#shape, after.tenant, rowOf(this.#shape, after.record));
    const filter = after && from ? behind(this.#shape, after.tenant, this.#keyIn(from)) : {};
    const found = await this.#link.read(() => this.#collection.find(filter, options).toArray());
    return found.map((document) => ({
      tenant: document["tenant"] as TenantId,
      record: recordIn<R>(this.#shape, document),
    }));
  }

  get #own() {
    return { ...OWN, maxTimeMS: this.#link.readMaxMs };
  }

  get #collection(): Collection<Document> {
    return this.#link.collection(collectionName(this.#shape));
  }

  async #found(tenant: TenantId, query: Query<R>, projection: Document): Promise<Document[]> {
    const checked = checkQuery(this.#shape, query);
    const options = {
      ...{ ...this.#own, projection, limit: checked.limit, batchSize: checked.limit + 1 },
      ...{ sort: sortOf(this.#shape, checked), hint: checked.index },
    };
    const filter = filterOf(tenant, checked);
    return await this.#link.read(() => this.#collection.find(filter, options).toArray());
  }

  /** False: there is none, or none for which the conditions hold; undefined: a unique index is in the way, or the same was added meanwhile. */
  async #replace(
    filter: Document,
    document: Document,
    isFree: boolean,
  ): Promise<boolean | undefined> {
    const run = async () => {
      const options = { upsert: isFree };
      const done = await this.#collection.replaceOne(filter, { ...document }, options);
      return done.matchedCount + done.upsertedCount > 0;
    };
    return await this.#write(run, undefined);
  }

  /** The record that has the same as this one in a unique index, unless it is the one with its key. */
  async #otherInTheWay(document: Document): Promise<Document | null> {
    const standing = await sameInTheWay(this.#collection, this.#shape, document);
    if (standing === null) return null;
    const isItself =
      JSON.stringify(this.#keyIn(standing)) === JSON.stringify(this.#keyIn(document));
    return isItself ? null : standing;
  }

  /** One change of one document; `otherwise`: a unique index forbids it. */
  async #write<T, O>(run: () => Promise<T>, otherwise: O): Promise<T | O> {
    try {
      const value = await run();
      if (value) this.#link.committed(1);
      return value;
    } catch (error) {
      if (isDuplicate(error)) return otherwise;
      throw error;
    }
  }

  #keyIn(document: Document): Value[] {
    return this.#shape.key.map((field) => document[field] as Value);
  }

  #written({ written, document }: Stands): Written<R> {
    return { written, record: recordIn<R>(this.#shape, document) };
  }

  #record(document: Document | null): R | undefined {
    return document === null ? undefined : recordIn<R>(this.#shape, document);
  }
}
