import { z } from "../plugins/index.ts";
import type { ShownEndpoint } from "./endpoint-fields.ts";
import { type EndpointRecord, STATUSES } from "./records.ts";

export const tag = "Webhooks";
export const access = "webhooks" as const;

/** Attack: characters that no database takes. */
const ENDPOINT_ID = /^[A-Za-z0-9_-]{1,64}$/;
export const ofEndpoint = z.object({
  endpoint: z.string().regex(ENDPOINT_ID, "is no id").describe("The id of an endpoint."),
});

/** An id that is nobody's, for examples. */
export const EXAMPLE_ID = "we_Q1ZqLw9oX7Gk2c0d";
export const EXAMPLE_URL = "https://app.example.com/hooks/aldis";

export function shown({
  endpoint,
  at,
  status,
  why,
  since,
  settings,
}: EndpointRecord): ShownEndpoint {
  const { url, types, namespaces, description, headers } = settings;
  return {
    ...{ endpoint, url, description },
    types: [...types],
    namespaces: [...namespaces],
    // Their values are credentials, as a rule.
    headers: Object.keys(headers),
    status: STATUSES.find((each) => each === status) ?? "disabled",
    ...(why !== undefined && { why }),
    createdAt: at,
    since,
  };
}
