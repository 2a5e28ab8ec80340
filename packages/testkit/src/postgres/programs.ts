import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where Debian puts them, a folder for each version; they are not on the path. */
const DEBIAN = "/usr/lib/postgresql";

export type PostgresPrograms = {
  readonly initdb: string;
  readonly postgres: string;
  readonly psql: string;
};

/** Of the newest PostgreSQL on this machine; undefined when there is none. */
export function postgresPrograms(): PostgresPrograms | undefined {
  const onPath = Bun.which("initdb");
  const folders = [
    ...versionsIn(DEBIAN).map((version) => join(DEBIAN, version, "bin")),
    ...(onPath === null ? [] : [dirname(onPath)]),
  ];
  const folder = folders.find((each) => existsSync(join(each, "postgres")));
  if (folder === undefined) return undefined;
  const at = (name: string) => join(folder, name);
  return { initdb: at("initdb"), postgres: at("postgres"), psql: at("psql") };
}

function versionsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).sort((a, b) => Number(b) - Number(a));
}
