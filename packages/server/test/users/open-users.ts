import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { API_KEY, startTestGateway, type TestGateway } from "@aldis/testkit";

export const ACME_KEY = "key-of-acme-0123456789abcdef";
export const READ_KEY = "key-to-read-0123456789abcdef";

type TestGatewayOptions = NonNullable<Parameters<typeof startTestGateway>[0]>;
type UsersConfig = NonNullable<NonNullable<TestGatewayOptions["config"]>["users"]>;

/** A gateway with a directory of users in a file of its own. */
export async function openUsers(
  users: UsersConfig = {},
  options: TestGatewayOptions = {},
): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), "aldis-users-"));
  const gateway = await startTestGateway({
    ...options,
    config: {
      store: { url: `sqlite:${join(folder, "test.db")}` },
      users: { writeIntervalMs: 20, lingerMs: 50, ...users },
      api: {
        keys: [
          { key: API_KEY, scopes: ["*"] },
          { key: ACME_KEY, tenant: "acme", scopes: ["*"] },
          { key: READ_KEY, scopes: ["read"] },
        ],
      },
      metrics: { public: true },
      ...options.config,
    },
  });
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const ANN = {
  name: "Ann Lee",
  email: "ann@example.com",
  avatar: "a.png",
  data: { secret: 1 },
};

/** Ann and Bob are connected, Cid is not; all are in the directory. */
export async function people(gateway: TestGateway) {
  const users = [
    { id: "ann", ...ANN },
    { id: "bob", name: "Bob" },
    { id: "cid", name: "Cid" },
  ];
  await gateway.call("POST", "/api/users", { users });
  const ann = await gateway.connect({ sub: "ann" });
  const bob = await gateway.connect({ sub: "bob" });
  return { ann, bob };
}

export const idsOf = ({ users }: { users: { id: string }[] }) => users.map(({ id }) => id);
