import { join } from "node:path";
import { type Document, generate } from "../../generate.ts";
import { withStore } from "./gateway.ts";

const ROOT = join(import.meta.dir, "../../../..");
export const TYPES_FILE = join(ROOT, "packages/backend/src/openapi.ts");

/** The OpenAPI document of a gateway with all features. */
export async function currentDocument(): Promise<Document> {
  await using gateway = await withStore();
  return (await (await fetch(`${gateway.url}/openapi.json`)).json()) as Document;
}

/** What `src/openapi.ts` must be, formatted. */
export async function typesOf(document: Document): Promise<string> {
  const biome = join(ROOT, "node_modules/.bin/biome");
  const text = new Response(await generate(document));
  return await Bun.$`${biome} format --stdin-file-path=${TYPES_FILE} < ${text}`.cwd(ROOT).text();
}
