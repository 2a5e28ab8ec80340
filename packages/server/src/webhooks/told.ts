import type { PluginContext, RouteCall } from "../plugins/index.ts";

/** Has the audit know of a change of this endpoint: awaited before the change is made. */
export type Told = (endpoint: string) => Promise<void>;

type Call = Pick<RouteCall<unknown, unknown, unknown>, "tenant" | "by">;
/** Neither secrets nor headers, nor of a URL more than its origin. */
type Detail = { readonly [name: string]: string | number | readonly string[] | undefined };

export function toldBy(
  { audit }: Pick<PluginContext, "audit">,
  call: Call,
  action: string,
  detail?: Detail,
): Told {
  return (subject) => audit(call, { action, subject, detail });
}

/** What the audit says of an endpoint's settings. */
export function detailOf(settings: {
  readonly url?: string | undefined;
  readonly types?: readonly string[] | undefined;
  readonly namespaces?: readonly string[] | undefined;
}): Detail {
  const { url, types, namespaces } = settings;
  // Attack: the path of a URL may be all that keeps strangers out of where it leads.
  const origin = url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined;
  return { changed: Object.keys(settings), origin, types, namespaces };
}
