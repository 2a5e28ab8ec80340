import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate for the loopback, signed by a CA that nobody else trusts. Files of a folder that goes with it. */
export type Certificates = Disposable & {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
};

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Made by openssl, valid for a day. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "aldis-ca-"));
  const at = (name: string) => join(folder, name);
  openssl([
    "req",
    "-x509",
    ...KEY,
    "-days",
    "1",
    "-subj",
    "/CN=Aldis test CA",
    "-keyout",
    at("ca.key"),
    "-out",
    at("ca.crt"),
  ]);
  openssl([
    "req",
    ...KEY,
    "-subj",
    "/CN=localhost",
    "-keyout",
    at("own.key"),
    "-out",
    at("own.csr"),
  ]);
  writeFileSync(at("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const signer = ["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial"];
  openssl([
    "x509",
    "-req",
    "-in",
    at("own.csr"),
    ...signer,
    "-days",
    "1",
    "-extfile",
    at("names"),
    "-out",
    at("own.crt"),
  ]);
  return {
    caFile: at("ca.crt"),
    certFile: at("own.crt"),
    keyFile: at("own.key"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function openssl(args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["openssl", ...args]);
  if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}
