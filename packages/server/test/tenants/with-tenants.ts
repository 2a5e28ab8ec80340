import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock, ConfigInput } from "@aldis/server";
import { type HttpAnswer, startTestGateway, type TestGateway } from "@aldis/testkit";

export const ADMIN_KEY = "admin-key-of-tests-0123456789";

export type AdminCall = (
  method: string,
  path: string,
  body?: unknown,
  tenant?: string,
) => Promise<HttpAnswer>;

export type WithTenants = AsyncDisposable & {
  readonly gateway: TestGateway;
  /** With the admin key, for `tenant` if given. */
  readonly admin: AdminCall;
  /** Makes a tenant with a key of all scopes, and gives the key. */
  tenantWithKey(id: string): Promise<{ readonly key: string; readonly id: string }>;
  /** The same store under another gateway, of another configuration perhaps. */
  again(other?: ConfigInput): Promise<WithTenants>;
  /** The database. */
  readonly path: string;
};

/** The admin's calls to one gateway. */
export function adminOf(gateway: TestGateway): AdminCall {
  return async (method, path, body, tenant) => {
    const headers = {
      authorization: `Bearer ${ADMIN_KEY}`,
      "content-type": "application/json",
      ...(tenant !== undefined && { "aldis-tenant": tenant }),
    };
    const { status, body: answer } = await gateway.http(path, {
      ...{ method, headers, body: JSON.stringify(body) },
    });
    return { status, body: answer };
  };
}

/** A gateway with an admin key and a store of its own, which is removed with it. */
export async function startWithTenants(
  config: ConfigInput = {},
  more: { readonly clock?: Clock; readonly folder?: string } = {},
): Promise<WithTenants> {
  const folder = more.folder ?? (await mkdtemp(join(tmpdir(), "aldis-tenants-")));
  const gateway = await startTestGateway({
    ...(more.clock && { clock: more.clock }),
    config: {
      ...config,
      api: { ...config.api, adminKeys: [ADMIN_KEY] },
      store: { ...config.store, url: `sqlite:${join(folder, "aldis.db")}` },
    },
  });
  const admin = adminOf(gateway);
  return {
    gateway,
    admin,
    async tenantWithKey(id) {
      await admin("POST", "/api/tenants", { id });
      const { status, body } = await admin("POST", `/api/tenants/${id}/keys`, { name: "backend" });
      if (status !== 200) throw new Error(`no key: ${status} ${JSON.stringify(body)}`);
      return body;
    },
    again: (other = config) => startWithTenants(other, { ...more, folder }),
    path: join(folder, "aldis.db"),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      if (more.folder === undefined) await rm(folder, { recursive: true });
    },
  };
}
