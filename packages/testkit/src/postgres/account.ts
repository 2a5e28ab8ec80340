/** Who a server runs as. */
export type Account = { readonly uid: number; readonly gid: number };

const HAS_SETPRIV = Bun.which("setpriv") !== null;

/** PostgreSQL refuses to run as root: as the account of Debian's package then, or as nobody. Undefined: as we are. */
export function accountOfServer(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return accountCalled("postgres") ?? accountCalled("nobody");
}

function accountCalled(name: string): Account | undefined {
  const [uid, gid] = ["-u", "-g"].map((flag) => Bun.spawnSync(["id", flag, name]));
  if (uid?.exitCode !== 0 || gid?.exitCode !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/**
 * What stands before a command so that it runs as `account`, and ends with the process that started it, however that one ends: a test that is
 * killed leaves nothing behind.
 */
export function asAccount(account: Account | undefined): string[] {
  if (!HAS_SETPRIV) return [];
  const ids =
    account === undefined
      ? []
      : ["--reuid", String(account.uid), "--regid", String(account.gid), "--clear-groups"];
  return ["setpriv", ...ids, "--pdeathsig", "KILL", "--"];
}
