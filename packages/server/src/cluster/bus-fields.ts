// What stands in messages of other nodes, perhaps of another version: read field by field. All throw a `FieldError`.
import {
  type ChannelName,
  FIELD_LIMITS,
  FieldError,
  type Fields,
  field,
  isFields,
  optionalString,
  parseChannelName,
  type Result,
  refuse,
} from "@aldis/protocol";
import { parseTenantId, type TenantId } from "../tenant/tenant.ts";

export function fieldsOf(body: unknown): Fields {
  if (!isFields(body)) throw new FieldError(refuse("bad_request", "no object"));
  return body;
}

export function tenantIn(fields: Fields): TenantId {
  return taken(parseTenantId(field(fields, "tenant")));
}

export function channelIn(fields: Fields): ChannelName {
  return taken(parseChannelName(field(fields, "channel")));
}

export function optionalChannelIn(fields: Fields): ChannelName | undefined {
  return field(fields, "channel") === undefined ? undefined : channelIn(fields);
}

export function optionalUserIn(fields: Fields): string | undefined {
  return optionalString(fields, "user", FIELD_LIMITS.user);
}

function taken<T>(result: Result<T>): T {
  if (!result.ok) throw new FieldError(result);
  return result.value;
}
