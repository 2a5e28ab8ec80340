import type { Position } from "@aldis/testkit";
import { SOAK_KEYS, type SoakTenant } from "../token.ts";

/** Publishes over HTTP as a tenant's backend does; rejects for any answer but success. */
export async function publishAs(tenant: SoakTenant, port: number, body: object): Promise<Position> {
  const response = await fetch(`http://127.0.0.1:${port}/api/publish`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${SOAK_KEYS[tenant]}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
  const answer = await response.text();
  if (!response.ok) {
    throw new Error(`publish: ${response.status} ${answer}`);
  }
  return JSON.parse(answer) as Position;
}
