// The parts of the feature, put together from what a plugin has of the gateway.
import { type PluginContext, refusal, type TenantId, Unavailable } from "../plugins/index.ts";
import type { AcknowledgingDeps } from "./acknowledging.ts";
import { Arrivals } from "./arrivals.ts";
import { Board } from "./board.ts";
import type { NotificationsConfig } from "./config.ts";
import { lookHere, TenantsHere } from "./here.ts";
import { Inbox } from "./inbox.ts";
import { LivePush } from "./live-push.ts";
import { type LookRequest, Missed } from "./missed.ts";
import type { ReadingDeps } from "./reading.ts";
import type { InboxRecord } from "./records.ts";
import type { SendingDeps } from "./sending.ts";
import { Upkeep } from "./upkeep.ts";
import { post } from "./web-push/post.ts";
import { Subscriptions } from "./web-push/subscriptions.ts";
import { runPush, WebPush, type WebPushDeps } from "./web-push/web-push.ts";

type Context = PluginContext<NotificationsConfig>;
type Rate = ReturnType<Context["rate"]>;

export type NotificationsParts = {
  readonly config: NotificationsConfig;
  readonly inbox: Inbox;
  readonly board: Board;
  readonly reading: ReadingDeps;
  readonly acknowledging: AcknowledgingDeps;
  readonly sending: SendingDeps;
  readonly live: LivePush;
  readonly missed: Missed;
  readonly arrivals: Arrivals;
  /** Users here may have missed something. */
  look(request: LookRequest): void;
  readonly tenants: TenantsHere;
  readonly upkeep: Upkeep;
  readonly webPush:
    | {
        readonly publicKey: string;
        readonly subscriptions: Subscriptions;
        readonly sender: WebPush;
      }
    | undefined;
  /** Of a tenant's backends; of a user who sends. */
  readonly tenantRate: Rate;
  readonly userRate: Rate;
  /** Throws `rate_limited`. */
  take(rate: Rate, name: string): void;
  inBackground(work: Promise<unknown>): void;
};

/** Who is asked whether a user is connected to it. */
export const HERE = "here";

export function createParts(context: Context): NotificationsParts {
  const { clock, config, random, users, nodes } = context;
  const count = context.count.bind(context);
  const { failed, inBackground } = createBackground(context);
  const records: Context["records"] = (collection) => context.records(collection);
  const inbox = new Inbox({ clock, config, records, inBackground });
  const board = new Board({ clock, config, tenantWide: records, marks: records });
  const reading: ReadingDeps = { clock, inbox, board };
  const arrivals = new Arrivals({ clock, config, reading, users, failed, count });
  const tenants = new TenantsHere();
  const look = (request: LookRequest) => {
    board.forgetAll();
    lookHere({ users, tenants, arrivals }, request);
  };
  const missed = new Missed({ clock, nodes, look, count });
  const webPush = createWebPush(context, { inbox, failed });
  const notHere = (tenant: TenantId, absent: readonly InboxRecord[]) =>
    webPush?.sender.send(tenant, absent);
  const live = new LivePush({ clock, users, nodes, missed, notHere, count });
  const upkeep = new Upkeep({ clock, self: nodes.self, config, inbox, board, records, count });
  const keepUp = (tenant: TenantId) => upkeep.keepUp(tenant);
  const perSecond = config.fromUsersPerMinute / 60;
  return {
    config,
    inbox,
    board,
    reading,
    acknowledging: { clock, inbox, board, users, inBackground, count, emit: context.emit },
    sending: {
      ...{ clock, random, config, inbox, board, live, keepUp, inBackground, count },
      hears: (tenant, from, to) => users.hears(tenant, from, to),
    },
    live,
    missed,
    arrivals,
    look,
    tenants,
    upkeep,
    webPush,
    tenantRate: context.rate(config.callsPerSecond, config.callsPerSecond),
    userRate: context.rate(perSecond, config.fromUsersPerMinute),
    take(rate, name) {
      const waitMs = rate.waitMs(name);
      if (waitMs > 0) throw refusal("rate_limited", "too many notifications", waitMs);
    },
    inBackground,
  };
}

/** What nobody waits for. An outage is counted, and healed by others; anything else is a fault of ours. */
function createBackground({ log, count }: Context): {
  failed(error: unknown): void;
  inBackground(work: Promise<unknown>): void;
} {
  function failed(err: unknown): void {
    if (err instanceof Unavailable) return count("unavailable");
    count("failed");
    log.error({ err }, "a notification was not handled as it should");
  }
  return { failed, inBackground: (work) => void work.catch(failed) };
}

function createWebPush(
  context: Context,
  { inbox, failed }: { readonly inbox: Inbox; failed(error: unknown): void },
): NotificationsParts["webPush"] {
  const { clock, config, http } = context;
  const push = config.push;
  if (push === undefined) return undefined;
  const records: Context["records"] = (collection) => context.records(collection);
  const subscriptions = new Subscriptions({ clock, config: push, http, records });
  const deps: WebPushDeps = {
    clock,
    config: push,
    subscriptions,
    post: (request) => post(http, request, push.timeoutMs),
    find: (tenant, user, seq) => inbox.get(tenant, user, seq),
    isAnywhere: (tenant, user) => isAnywhere(context, tenant, user),
    isActive: (tenant) => context.tenants.of(tenant).status === "active",
    failed,
    count: context.count.bind(context),
  };
  const job = context.job({ name: "web-push", queue: "push", run: (turn) => runPush(deps, turn) });
  return { publicKey: push.publicKey, subscriptions, sender: new WebPush(deps, job) };
}

async function isAnywhere(
  { users, nodes }: Context,
  tenant: TenantId,
  user: string,
): Promise<boolean> {
  if (users.isHere(tenant, user)) return true;
  const answers = await Promise.all(
    nodes.others.map((node) => nodes.ask(node, HERE, { tenant, user })),
  );
  return answers.some((answer) => answer.ok && answer.body === true);
}
