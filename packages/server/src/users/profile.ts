// What is known of a user, and which of two sources counts (US1).
import { type Json, USER_LIMITS } from "@aldis/protocol";
import type { Identity } from "../plugins/index.ts";

export type Profile = { readonly name?: string; readonly email?: string; readonly avatar?: string };

/** What a backend changes: what is left out stays, `null` clears. */
export type ProfileChange = {
  readonly name?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly avatar?: string | null | undefined;
  readonly data?: Json | undefined;
};

const NAMES = ["name", "email", "avatar"] as const;

/** What a token says, as far as it is kept: claims are the identity provider's, and as long as a token. */
export function claimsOf(identity: Pick<Identity, "name" | "email" | "avatar">): Profile {
  const claims: { -readonly [N in keyof Profile]: Profile[N] } = {};
  for (const name of NAMES) {
    const value = identity[name];
    if (value !== undefined && value !== "" && value.length <= USER_LIMITS[name]) {
      claims[name] = value;
    }
  }
  return claims;
}

export function sameProfile(one: Profile, other: Profile): boolean {
  return NAMES.every((name) => one[name] === other[name]);
}

/** What a backend has given, after a change. */
export function givenAfter(given: Profile, change: ProfileChange): Profile {
  const after: { -readonly [N in keyof Profile]: Profile[N] } = {};
  for (const name of NAMES) {
    const value = change[name] === undefined ? given[name] : (change[name] ?? undefined);
    if (value !== undefined) after[name] = value;
  }
  return after;
}

/** What counts: that which was given, else that which was claimed. */
export function profileOf(record: { readonly claimed: Profile; readonly given: Profile }): Profile {
  return { ...record.claimed, ...record.given };
}

/** Addresses that differ in case alone are one; accents do count, those are two mailboxes. Undefined: it is no text to be asked for. */
export function emailKey(email: string): string | undefined {
  const key = email.normalize("NFC").trim().toLowerCase();
  // Folding may have made it longer than a field takes.
  const isText = key.isWellFormed() && !key.includes("\0") && key.length <= 1_000;
  return isText && key !== "" ? key : undefined;
}
