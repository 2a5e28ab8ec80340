// What the schema cannot see: files that the configuration names. Asked by `config check` and before `start`.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ConfigProblem } from "./load.ts";
import type { Config } from "./schema.ts";

/** Files that are not there, cannot be read, or do not hold what they should. Shows nothing of what is in them. */
export function fileProblems(config: Config): readonly ConfigProblem[] {
  return [...tlsProblems(config), ...caProblems(config), ...serviceAccountProblems(config)];
}

function tlsProblems({ listen: { tls } }: Config): readonly ConfigProblem[] {
  if (tls === undefined) return [];
  const problems: ConfigProblem[] = [];
  const read = <T>(name: "certFile" | "keyFile", parse: (text: Buffer) => T): T | undefined => {
    const found = readParsed(tls[name], parse);
    if (found.ok) return found.value;
    problems.push({ path: `listen.tls.${name}`, message: found.message });
    return undefined;
  };
  const certificate = read("certFile", (text) => new X509Certificate(text));
  const key = read("keyFile", (text) => createPrivateKey(text));
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    const message = `is not the key of the certificate in ${tls.certFile}`;
    problems.push({ path: "listen.tls.keyFile", message });
  }
  return problems;
}

function caProblems({ redis: { caFile } }: Config): readonly ConfigProblem[] {
  if (caFile === undefined) return [];
  const found = readParsed(caFile, (text) => new X509Certificate(text));
  return found.ok ? [] : [{ path: "redis.caFile", message: found.message }];
}

function serviceAccountProblems({ auth: { provider } }: Config): readonly ConfigProblem[] {
  if (provider?.kind !== "firebase" || provider.serviceAccountFile === undefined) return [];
  const found = readParsed(provider.serviceAccountFile, (text) => JSON.parse(text.toString()));
  return found.ok ? [] : [{ path: "auth.provider.serviceAccountFile", message: found.message }];
}

type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

function readParsed<T>(file: string, parse: (text: Buffer) => T): Read<T> {
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (error) {
    const { code } = error as { code?: string };
    const why = code === "ENOENT" ? "is not there" : `cannot be read (${code})`;
    return { ok: false, message: `${file} ${why}` };
  }
  try {
    return { ok: true, value: parse(text) };
  } catch {
    // What the parser says might quote the key.
    return { ok: false, message: `${file} does not hold what it should` };
  }
}
