import { z } from "../plugins/index.ts";
import type { ShownEndpoint } from "./endpoint-fields.ts";
import { type EndpointRecord, STATUSES } from "./records.ts";

export const tag = "Webhooks";
export const access = "webhooks" as const;

const ENDPOINT_ID_MAX = 64;
export const ofEndpoint = z.object({
  endpoint: z.string().min(1).max(ENDPOINT_ID_MAX).describe("The id of an endpoint."),
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
