import { currentDocument, TYPES_FILE, typesOf } from "./document.ts";

await Bun.write(TYPES_FILE, await typesOf(await currentDocument()));
