import type { Answer, Operation, Query } from "../operations.ts";
import { type CallOptions, split } from "../options.ts";
import type { Call } from "./call.ts";

/**
 * A list that comes in pages. `for await` goes through all of it and asks for each page when it is needed; pages stay right while
 * entries come and go.
 */
export type Listing<Item, Page> = AsyncIterable<Item> & {
  /** One page, the first or that of the `cursor` given: its `next` is the cursor of the one after. */
  page(): Promise<Page>;
  /** Page by page. */
  pages(): AsyncIterable<Page>;
  /** The first so many in one array: 1,000 unless asked. */
  take(most?: number): Promise<Item[]>;
};

/** What is between a list and the operation that gives its pages. */
export type Pager<Item, Page, Query> = {
  readonly get: (query: Query, options: CallOptions) => Promise<Page>;
  readonly items: (page: Page) => readonly Item[];
  /** What to ask for the page after; undefined: there is none. */
  readonly after: (page: Page, query: Query) => Query | undefined;
};

export function createListing<Item, Page, Query>(
  pager: Pager<Item, Page, Query>,
  query: Query,
  options: CallOptions,
): Listing<Item, Page> {
  async function* pages(): AsyncGenerator<Page> {
    let next: Query | undefined = query;
    while (next !== undefined) {
      const page: Page = await pager.get(next, options);
      yield page;
      next = pager.after(page, next);
    }
  }
  async function* items(): AsyncGenerator<Item> {
    for await (const page of pages()) yield* pager.items(page);
  }
  return {
    page: () => pager.get(query, options),
    pages,
    async take(most = 1_000) {
      const taken: Item[] = [];
      if (most < 1) return taken;
      for await (const item of items()) if (taken.push(item) >= most) break;
      return taken;
    },
    [Symbol.asyncIterator]: items,
  };
}

/** For lists whose pages tell the `cursor` of the next one. */
export function byCursor<Page extends { readonly next?: string }, Query extends object>(
  page: Page,
  query: Query,
): Query | undefined {
  return page.next === undefined ? undefined : { ...query, cursor: page.next };
}

/** What a list may be asked: its filters, `limit` (how many a page), `cursor` (where to begin), and options of its calls. */
export type ListOptions<O extends Operation> = Query<O> & CallOptions;

/** Lists of an operation whose pages have a `next`. */
export function listBy<O extends Operation, Item>(
  call: Call,
  operation: O,
  items: (page: Answer<O> & { readonly next?: string }) => readonly Item[],
): (asked: ListOptions<O>, path?: object) => Listing<Item, Answer<O>> {
  type Page = Answer<O> & { readonly next?: string };
  return (asked, path) => {
    const { fields, options } = split<CallOptions>(asked);
    const pager: Pager<Item, Page, object> = {
      // The document ties path and query to the operation; here it is a variable.
      get: (query, how) => call(operation, { path, query } as never, how) as Promise<Page>,
      items,
      after: byCursor,
    };
    return createListing(pager, fields, options);
  };
}
