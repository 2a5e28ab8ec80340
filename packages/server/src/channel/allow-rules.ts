import type { ChannelName } from "@aldis/protocol";

/** The `allow` list of one right in a namespace, compiled. */
export type AllowRules = {
  readonly anonymous: boolean;
  readonly user: boolean;
  readonly subscriber: boolean;
  readonly templates: readonly Template[];
};

/** A channel name with a user's id in it, such as `user:{userId}` or `inbox:{userId}:*`. */
type Template = { readonly before: string; readonly after: string; readonly open: boolean };

const PLACEHOLDER = "{userId}";

export function compileAllowRules(rules: readonly string[]): AllowRules {
  return {
    anonymous: rules.includes("anonymous"),
    user: rules.includes("user"),
    subscriber: rules.includes("subscriber"),
    templates: rules.filter((rule) => rule.includes(PLACEHOLDER)).map(compileTemplate),
  };
}

function compileTemplate(rule: string): Template {
  const at = rule.indexOf(PLACEHOLDER);
  const after = rule.slice(at + PLACEHOLDER.length);
  const open = after.endsWith("*");
  return { before: rule.slice(0, at), after: open ? after.slice(0, -1) : after, open };
}

/** Whether `channel` is the template's with this user's id in it. */
export function matchesTemplate(template: Template, channel: ChannelName, userId: string): boolean {
  // Attack: a user id that holds `:` or `*`. With `inbox:{userId}:*` the user `a` would own what
  // belongs to the user `a:b`. Such ids match no template; their rights must come from their token.
  if (userId === "" || userId.includes(":") || userId.includes("*")) return false;
  const { before, after, open } = template;
  const own = before.length + userId.length + after.length;
  if (open ? channel.length < own : channel.length !== own) return false;
  return (
    channel.startsWith(before) &&
    channel.startsWith(userId, before.length) &&
    channel.startsWith(after, before.length + userId.length)
  );
}
