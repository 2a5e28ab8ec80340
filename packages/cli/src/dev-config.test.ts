import { expect, test } from "bun:test";
import { CliFailure } from "./console.ts";
import { createDevSecrets, devConfig } from "./dev-config.ts";

const settings = (env: Record<string, string> = {}, file: Record<string, unknown> = {}) =>
  devConfig({ env, file, options: {}, secrets: createDevSecrets() });

test("without any setting it is a gateway to try everything with, on loopback", () => {
  const { config, ownKey, ownSecret } = settings();
  expect(config.listen).toMatchObject({ host: "127.0.0.1", port: 8965 });
  expect(config.direct.allow).toBe("user");
  expect(config.namespaces["default"]).toMatchObject({ wildcard: true, history: { size: 1_000 } });
  expect({ ownKey, ownSecret }).toEqual({ ownKey: true, ownSecret: true });
  expect(settings().config.auth.jwtSecret).not.toBe(config.auth.jwtSecret as string);
});

test("a foreign page's own host does not count as this one (DNS rebinding)", () => {
  expect(settings().config.listen.origins).not.toContain("self");
});

test("file, environment and flags go before the preset, in this order", () => {
  const file = { listen: { port: 1 }, typing: { expiryMs: 7 }, namespaces: { chat: {} } };
  const env = { ALDIS_PORT: "2", ALDIS_JWT_SECRET: "a secret of the environment", ALDIS_URL: "x" };
  const { config, ownSecret } = devConfig({
    env,
    file,
    options: { port: 3, quiet: true },
    secrets: createDevSecrets(),
  });
  expect(config.listen).toMatchObject({ host: "127.0.0.1", port: 3 });
  expect(settings(env, file).config.listen.port).toBe(2);
  expect(config.typing.expiryMs).toBe(7);
  expect(Object.keys(config.namespaces).sort()).toEqual(["chat", "default"]);
  expect(config.log.level).toBe("warn");
  expect(settings().config.log.level).toBe("debug");
  expect(ownSecret).toBe(false);
});

test("the file's `auth` is left aside: here tokens are made on the spot", () => {
  const provider = { kind: "auth0", domain: "acme.eu.auth0.com", audience: "api" };
  const { config, ownSecret } = settings({}, { auth: { provider } });
  expect(config.auth.provider).toBeUndefined();
  expect(ownSecret).toBe(true);
});

test.each(["0.0.0.0", "::", "10.0.0.1", "example.com", "127.0.0.2", ""])(
  "[P7] the host %j is refused",
  (host) => {
    expect(() => settings({}, { listen: { host } })).toThrow(CliFailure);
    expect(() => settings({ ALDIS_HOST: host })).toThrow(CliFailure);
    expect(() =>
      devConfig({ env: {}, file: {}, options: { host }, secrets: createDevSecrets() }),
    ).toThrow(CliFailure);
  },
);

test("[P7] both loopback addresses are accepted", () => {
  for (const host of ["127.0.0.1", "::1"]) {
    expect(
      devConfig({ env: {}, file: {}, options: { host }, secrets: createDevSecrets() }).config.listen
        .host,
    ).toBe(host);
  }
});
