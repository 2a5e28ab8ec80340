import { expect, test } from "bun:test";
import { loadConfig } from "./load.ts";

function problemsOf(file: object): readonly { path: string; message: string }[] {
  const outcome = loadConfig({ file });
  return outcome.ok ? [] : outcome.problems;
}

test.each([
  [{ listen: { port: 1.5 } }, "listen.port", "must be a whole number"],
  [{ listen: { frameMaxBytes: "64k" } }, "listen.frameMaxBytes", "must be a number"],
  [{ listen: { compression: "on" } }, "listen.compression", "must be true or false"],
  [{ listen: { origins: "x" } }, "listen.origins", "must be a list"],
  [{ listen: { tls: { certFile: "a" } } }, "listen.tls.keyFile", "is missing"],
  [{ listen: { host: 4 } }, "listen.host", "must be text"],
  [{ listen: { port: 65_536 } }, "listen.port", "must be at most 65535"],
  [{ api: { keys: [{ key: "short" }] } }, "api.keys.0.key", "must have at least 16 characters"],
  [{ auth: { jwtSecret: 5 } }, "auth.jwtSecret", "has none of the forms that it may have"],
  [{ limits: 4 }, "limits", "must be an object of settings"],
  [{ direct: { allow: "all" } }, "direct.allow", `must be one of "capability", "user"`],
] as const)("%j is told in the words of who wrote it", (file, path, message) => {
  expect(problemsOf(file)).toContainEqual({ path, message });
});

test("a rule of the schema's own keeps its words", () => {
  expect(problemsOf({ auth: { jwtSecret: "short" } })).toContainEqual({
    path: "auth.jwtSecret",
    message: expect.stringContaining("openssl rand"),
  });
});
