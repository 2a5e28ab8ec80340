// The kinds of value that the `auth` section of the config is made of; auth-config.ts puts them together.
import { z } from "zod";
import { readPublicKey } from "./algorithms.ts";

const SECRET_BYTES_MIN = 16;
const LIST_MAX = 16;
const TEXT_MAX = 2048;

export const ms = (doc: string, min = 0) =>
  z.number().int().min(min).max(Number.MAX_SAFE_INTEGER).meta({ doc, unit: "ms" });

export const text = (doc: string) => z.string().min(1).max(TEXT_MAX).meta({ doc });

/** One or several of the same: `"a"` or `["a", "b"]`. */
export function oneOrMore<T extends z.ZodType>(item: T) {
  return z.union([item, z.array(item).min(1).max(LIST_MAX)]);
}

export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/**
 * A shared secret. RFC 7518 §3.2 asks for as many bytes as the hash has (32 for HS256); from 16 bytes on
 * a shorter one is let through, because a random 128-bit secret cannot be guessed, and `authWarnings`
 * names it. Below that, anyone with one token can search for the secret offline.
 *
 * Algorithm confusion: a PEM text is refused, since with a public key as the secret everyone who knows
 * that key signs tokens. No message shows any of the value.
 */
export const secret = z
  .string()
  .max(TEXT_MAX)
  .refine((value) => Buffer.byteLength(value) >= SECRET_BYTES_MIN, {
    message: `must have at least ${SECRET_BYTES_MIN} bytes (32 random ones are right: openssl rand -base64 32)`,
  })
  .refine((value) => !value.includes("-----BEGIN"), {
    message: "is a key in PEM form: a public key belongs in `publicKey`",
  })
  .meta({ secret: true });

export const publicKey = z
  .string()
  .max(16_384)
  .superRefine((pem, context) => {
    try {
      readPublicKey(pem);
    } catch (error) {
      const message = error instanceof Error ? error.message : "is not a public key";
      context.addIssue({ code: "custom", message });
    }
  });

/**
 * Keys that come over plain HTTP are whoever's is on the way: https only, but for a host that is this
 * machine. Credentials in a URL end up in logs, so they are refused too.
 */
export const httpsUrl = z.string().max(TEXT_MAX).refine(isSafeUrl, {
  message: "must be an https:// URL without credentials (http:// only to localhost)",
});

function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  if (url.username !== "" || url.password !== "" || url.hash !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}

/** `URL` has already brought every spelling of an IPv4 address (`127.1`, `0x7f000001`) into dotted form. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname === "[::1]" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}

/** `acme.eu.auth0.com`, with a port perhaps: no scheme, path or credentials. */
export const domain = z
  .string()
  .max(255)
  .refine(
    (value) => /^[A-Za-z0-9.-]+(:\d{1,5})?$/.test(value) && URL.canParse(`https://${value}/`),
    { message: "must be a host name such as `acme.eu.auth0.com`, without https://" },
  );

/**
 * Where a claim is: `"profile.name"`, or `["https://app/claims", "tenant"]` where a key itself holds
 * dots. A single string with `://` in it is one key, as Auth0's namespaced claims are written.
 */
export const claimPath = z.union([
  z
    .string()
    .max(255)
    .refine((path) => claimSteps(path).every((step) => step.length > 0), {
      message: "must be claim names joined by dots",
    }),
  z.array(z.string().min(1).max(255)).min(1).max(8),
]);

export function claimSteps(path: string | readonly string[]): readonly string[] {
  if (typeof path !== "string") return path;
  return path.includes("://") ? [path] : path.split(".");
}
