import { accept, type Result, refuse } from "@aldis/protocol";
import { type MongoTarget, parseMongoTarget } from "./mongodb/target.ts";
import { type PostgresTarget, parsePostgresTarget } from "./postgres/target.ts";

/** Where records are kept, out of `store.url`. */
export type StoreTarget =
  | { readonly kind: "none" }
  /** `path` is relative to the working directory. */
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly target: PostgresTarget }
  | { readonly kind: "mongodb"; readonly target: MongoTarget };

/** The messages do not repeat the text: it may hold a password. */
export function parseStoreTarget(text: string): Result<StoreTarget> {
  if (text === "none") return accept({ kind: "none" });
  if (/^postgres(ql)?:\/\/./.test(text)) {
    const target = parsePostgresTarget(text);
    return target.ok ? accept({ kind: "postgres", target: target.value }) : target;
  }
  if (/^mongodb(\+srv)?:\/\/./.test(text)) {
    const target = parseMongoTarget(text);
    return target.ok ? accept({ kind: "mongodb", target: target.value }) : target;
  }
  const path = text.startsWith("sqlite:") ? text.replace(/^sqlite:(\/\/)?/, "") : "";
  if (path === "") {
    return refuse("bad_request", "is `sqlite:path`, `postgres://…`, `mongodb://…` or `none`");
  }
  // What SQLite takes for something else than the name of a file; in memory nothing would last.
  if (path.startsWith(":") || path.startsWith("file:") || path.includes("\0")) {
    return refuse(
      "bad_request",
      "names a file: `sqlite:aldis.db`, `sqlite:/var/lib/aldis/aldis.db`",
    );
  }
  return accept({ kind: "sqlite", path });
}
