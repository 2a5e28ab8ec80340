import { z } from "zod";

const positive = (doc: string, unit?: string) =>
  z
    .number()
    .int()
    .min(1)
    .max(1e9)
    .meta({ doc, ...(unit !== undefined && { unit }) });

/** JSON that could not be read is no path. */
const modulePath = z.string().regex(/^[^[{\s]/, "must be a path such as ./my-plugin.ts");

/** Plugins of the operator's own, loaded at start in this order. */
export const pluginsSchema = z
  .array(
    z.union([modulePath, z.strictObject({ module: modulePath, config: z.unknown().optional() })]),
  )
  .max(100)
  .default([])
  .meta({
    doc: 'Plugins to load, as paths relative to the config file (or to the working directory, from the environment): `"./my-plugin.ts"`, or `{"module": "./my-plugin.ts", "config": {…}}`',
  });

/** What plugins may take. */
export const hooksSchema = z.strictObject({
  timeLimitMs: positive(
    "What one hook of a plugin may take, unless it says otherwise",
    "ms",
  ).default(1_000),
  pendingMax: positive(
    "Publications of this node that wait for hooks at once, of one tenant at most three times what room is left; more are refused as `unavailable`",
  ).default(10_000),
  actionTimeLimitMs: positive("What an action or a route of a plugin may take", "ms").default(
    30_000,
  ),
  actionsPerConnection: positive(
    "Commands of one connection that are under way at once; actions of plugins beyond it are refused as `unavailable`",
  ).default(256),
});
