/** `bun scripts/openapi-types.ts`: brings the types of `@aldis/backend` up to the OpenAPI document of this checkout's gateway. */
import { join } from "node:path";

const WRITER = join(import.meta.dir, "../packages/backend/test/support/write-types.ts");
await Bun.$`${process.execPath} ${WRITER}`;
