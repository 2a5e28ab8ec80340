// Whether Firebase has disabled a user or ended all of their sessions. The one use of firebase-admin,
// which is big and optional: it is loaded only when `checkRevoked` is on.

import { isFields } from "@aldis/protocol";
import type { App } from "firebase-admin/app";
import type { UserRecord } from "firebase-admin/auth";
import type { JWTPayload } from "jose";
import type { Clock } from "../time/clock.ts";
import { KeysUnavailable } from "./refusals.ts";
import { createTurns } from "./turns.ts";

export type RevocationCheck = {
  /** Claims of a token that is otherwise good; undefined: not revoked. Rejects with `KeysUnavailable`. */
  check(claims: JWTPayload): Promise<"revoked" | undefined>;
  close(): void;
};

export type FirebaseRevocationOptions = {
  readonly projectId: string;
  readonly serviceAccountFile: string | undefined;
  readonly timeoutMs: number;
  /** Where packages are looked for; default: beside this file. */
  readonly resolveFrom?: string;
};

/**
 * Asks for the user's record and compares as `verifyIdToken(token, true)` does; the signature is checked
 * already, and against keys that may be the operator's own. With FIREBASE_AUTH_EMULATOR_HOST set, the
 * library asks the emulator.
 *
 * Throws an `Error` at once when the package is not installed: not later, for every user.
 */
export function createFirebaseRevocation(
  clock: Clock,
  options: FirebaseRevocationOptions,
): RevocationCheck {
  assertInstalled(options.resolveFrom ?? import.meta.dir);
  const firebase = openFirebase(options);
  const turns = createTurns(LOOKUPS_MAX);
  // Reported by every check; without this, a failure before the first one would end the process.
  firebase.catch(() => undefined);
  return {
    async check(claims) {
      const user = await withinTime(clock, options.timeoutMs, (abandoned) =>
        turns.take(() => {
          if (abandoned.aborted) throw new KeysUnavailable("revocation timeout");
          return lookUp(firebase, claims);
        }),
      );
      return user === undefined || isRevoked(user, claims) ? "revoked" : undefined;
    },
    close() {
      firebase.then((opened) => opened.close()).catch(() => undefined);
    },
  };
}

function assertInstalled(directory: string): void {
  try {
    Bun.resolveSync("firebase-admin/auth", directory);
  } catch (cause) {
    throw new Error(
      "auth.provider.checkRevoked needs the package firebase-admin, which is not installed: bun add firebase-admin",
      { cause },
    );
  }
}

type Firebase = {
  /** `tenant`: of Firebase's multi-tenancy, where each has its own users. */
  user(id: string, tenant: string | undefined): Promise<UserRecord>;
  close(): Promise<void>;
};

async function openFirebase(options: FirebaseRevocationOptions): Promise<Firebase> {
  const { applicationDefault, cert, deleteApp, initializeApp } = await import("firebase-admin/app");
  const { getAuth } = await import("firebase-admin/auth");
  // The library's registry of apps is one for the process: two gateways must not meet in it.
  const name = `aldis-${crypto.randomUUID()}`;
  const { projectId, serviceAccountFile } = options;
  const credential =
    serviceAccountFile === undefined ? applicationDefault() : cert(serviceAccountFile);
  const app: App = initializeApp({ projectId, credential }, name);
  const auth = getAuth(app);
  return {
    user: (id, tenant) =>
      tenant === undefined
        ? auth.getUser(id)
        : auth.tenantManager().authForTenant(tenant).getUser(id),
    close: () => deleteApp(app),
  };
}

/** undefined: there is no such user any more. Any other failure is the provider's and not the token's. */
async function lookUp(
  firebase: Promise<Firebase>,
  claims: JWTPayload,
): Promise<UserRecord | undefined> {
  try {
    return await (await firebase).user(claims.sub ?? "", tenantOf(claims));
  } catch (cause) {
    if (codeOf(cause) === "auth/user-not-found") return undefined;
    throw new KeysUnavailable("revocation", { cause });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function tenantOf(claims: JWTPayload): string | undefined {
  const firebase = claims["firebase"];
  const tenant = isFields(firebase) ? firebase["tenant"] : undefined;
  return typeof tenant === "string" ? tenant : undefined;
}

function isRevoked(user: UserRecord, claims: JWTPayload): boolean {
  if (user.disabled) return true;
  if (user.tokensValidAfterTime === undefined) return false;
  const signedInMs = Number(claims["auth_time"]) * 1000;
  return !(signedInMs >= Date.parse(user.tokensValidAfterTime));
}

/** After a restart everyone comes back at once; Firebase has quotas, and sockets are not free. */
const LOOKUPS_MAX = 64;

/** The library's own limit is longer than the time in which a client must be authenticated. */
function withinTime<T>(
  clock: Clock,
  timeoutMs: number,
  start: (abandoned: AbortSignal) => Promise<T>,
): Promise<T> {
  const abandoned = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => {
      abandoned.abort();
      reject(new KeysUnavailable("revocation timeout"));
    });
    start(abandoned.signal)
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}
