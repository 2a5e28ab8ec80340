import { Counter, Histogram, type Registry } from "prom-client";

/** Notes one finished HTTP request. `route` is one of a fixed few, never what the client wrote. */
export type ObserveHttp = (route: string, status: number, seconds: number) => void;

/** Statuses by their hundreds; 0 holds none. */
const CLASSES = ["", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/**
 * The requests of one route, in plain numbers that are copied at each scrape: prom-client's own look-up by labels costs as much as
 * all the checks of a publish. Hot.
 */
class RouteTally {
  readonly byClass = CLASSES.map(() => 0);
  /** By the smallest bucket that holds them; the last one is for those beyond all. */
  readonly byBucket: number[];
  seconds = 0;
  readonly #buckets: readonly number[];

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
    this.byBucket = [...buckets.map(() => 0), 0];
  }

  note(status: number, seconds: number): void {
    const statusClass = Math.floor(status / 100);
    this.byClass[statusClass] = (this.byClass[statusClass] ?? 0) + 1;
    let bucket = 0;
    while (seconds > (this.#buckets[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
    this.byBucket[bucket] = (this.byBucket[bucket] ?? 0) + 1;
    this.seconds += seconds;
  }
}

type Tallies = ReadonlyMap<string, RouteTally>;

/** `buckets` are in seconds, rising. */
export function registerHttp(registry: Registry, buckets: readonly number[]): ObserveHttp {
  const tallies = new Map<string, RouteTally>();
  registerRequests(registry, tallies);
  new TalliedHistogram(registry, buckets, tallies);
  return (route, status, seconds) => {
    let tally = tallies.get(route);
    if (tally === undefined) {
      tally = new RouteTally(buckets);
      tallies.set(route, tally);
    }
    tally.note(status, seconds);
  };
}

function registerRequests(registry: Registry, tallies: Tallies): void {
  new Counter({
    name: "aldis_http_requests_total",
    help: "HTTP requests by route and class of status",
    labelNames: ["route", "status"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [route, { byClass }] of tallies) {
        for (const [at, count] of byClass.entries()) {
          if (count > 0) this.inc({ route, status: CLASSES[at] ?? "" }, count);
        }
      }
    },
  });
}

/** What prom-client's own histogram would tell, had it seen each request. */
class TalliedHistogram extends Histogram<"route"> {
  readonly #buckets: readonly number[];
  readonly #tallies: Tallies;

  constructor(registry: Registry, buckets: readonly number[], tallies: Tallies) {
    super({ name: NAME, help: HELP, labelNames: ["route"], registers: [registry] });
    this.#buckets = buckets;
    this.#tallies = tallies;
  }

  /** What the registry asks of a histogram; the library's types leave it out. */
  getForPromString() {
    const values = [...this.#tallies].flatMap(([route, tally]) => this.#valuesOf(route, tally));
    return { name: NAME, help: HELP, type: "histogram", aggregator: "sum", values };
  }

  #valuesOf(route: string, { byBucket, seconds }: RouteTally) {
    let count = 0;
    const values = [...this.#buckets, "+Inf"].map((le, at) => {
      count += byBucket[at] ?? 0;
      return { metricName: `${NAME}_bucket`, labels: { le, route }, value: count };
    });
    const of = (part: string, value: number) => ({
      metricName: `${NAME}_${part}`,
      labels: { route },
      value,
    });
    return [...values, of("sum", seconds), of("count", count)];
  }
}

const NAME = "aldis_http_request_seconds";
const HELP = "Time to answer an HTTP request";
