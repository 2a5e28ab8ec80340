// Polls with a memory: a backend asks a question, every user answers once, and whoever follows the poll's channel sees the result change.
import {
  action,
  createAll,
  defineCollection,
  definePlugin,
  integer,
  json,
  type PluginContext,
  parseChannelName,
  pluginRoute,
  refusal,
  type TenantId,
  text,
  z,
} from "@aldis/server/plugin";

const polls = defineCollection({
  name: "poll_polls",
  fields: { id: text(), question: text(), choices: json<string[]>() },
  key: ["id"],
});
/** A vote is a record of its own, so that two nodes can take votes at the same time, and one user has one. */
const votes = defineCollection({
  name: "poll_votes",
  fields: { poll: text(), user: text(), choice: integer() },
  key: ["poll", "user"],
  indexes: { by_choice: { fields: ["poll", "choice"] } },
});

const COUNTED_MAX = 10_000;
const id = z.string().regex(/^[a-z0-9-]{1,64}$/);
const result = z.object({
  question: z.string(),
  choices: z.array(z.string()),
  votes: z.array(z.number()),
});

async function resultOf({ records }: PluginContext, tenant: TenantId, poll: string) {
  const found = await records(polls).get(tenant, { id: poll });
  if (found === undefined) throw refusal("not_found", "no such poll");
  const { question, choices } = found;
  const counts = choices.map((_, choice) =>
    records(votes).count(tenant, {
      index: "by_choice",
      same: { poll, choice },
      limit: COUNTED_MAX,
    }),
  );
  return { question, choices, votes: await Promise.all(counts) };
}

export default definePlugin({
  name: "poll",
  store: createAll("poll", [polls, votes]),
  actions: {
    poll_vote: action({
      input: z.object({ poll: id, choice: z.number().int().min(0).max(9) }),
      async run({ session, input: { poll, choice } }, context) {
        const { tenant, userId } = session.identity;
        const { choices } = await resultOf(context, tenant, poll);
        if (choice >= choices.length) throw refusal("bad_request", "no such choice");
        const { written } = await context
          .records(votes)
          .insert(tenant, { poll, user: userId, choice });
        if (!written) throw refusal("forbidden", "you have voted");
        const now = await resultOf(context, tenant, poll);
        const channel = parseChannelName(`poll:${poll}`);
        if (channel.ok)
          await context.channels.publish(tenant, {
            channel: channel.value,
            event: "result",
            data: now,
          });
        return now;
      },
    }),
  },
  routes: [
    pluginRoute(
      {
        method: "put",
        path: "/api/polls/{poll}",
        access: "publish",
        tag: "Polls",
        summary: "Ask a question",
        description: "Opens a poll, or changes its question; votes stay.",
        params: z.object({ poll: id }),
        body: z.object({
          question: z.string().min(1).max(500),
          choices: z.array(z.string().max(100)).min(2).max(10),
        }),
        answer: result,
        example: {
          path: { poll: "lunch" },
          body: { question: "Lunch?", choices: ["soup", "salad"] },
        },
      },
      async ({ tenant, params, body }, context) => {
        await context.records(polls).put(tenant, { id: params.poll, ...body });
        return await resultOf(context, tenant, params.poll);
      },
    ),
    pluginRoute(
      {
        method: "get",
        path: "/api/polls/{poll}",
        access: "read",
        users: true,
        tag: "Polls",
        summary: "See the result",
        description: "How often each choice was taken so far.",
        params: z.object({ poll: id }),
        answer: result,
        refusals: ["not_found"],
        example: { path: { poll: "lunch" } },
      },
      ({ tenant, params }, context) => resultOf(context, tenant, params.poll),
    ),
  ],
});
