import type { Backend } from "@aldis/backend";

/**
 * Tells the gateway what this backend is asked and told: whom clients reach with `rpc`, who says who may subscribe and publish, and where events go. Doing it again
 * changes nothing but the secret, so each start may.
 */
export async function introduce(
  backend: Backend,
  { url, secret }: { readonly url: string; readonly secret: string },
): Promise<void> {
  const asked = { namespaces: ["orders"] };
  await backend.backendSettings.set({ url, secret, subscribe: asked, publish: asked });
  const endpoints = await backend.webhooks.list();
  const own = endpoints.find((endpoint) => endpoint.url === url);
  const types = ["session.connected", "session.disconnected"];
  if (own === undefined) await backend.webhooks.create({ url, secret, types });
  else await backend.webhooks.rotateSecret(own.endpoint, { secret });
}
