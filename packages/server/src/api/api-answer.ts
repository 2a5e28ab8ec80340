import type { Refusal } from "@aldis/protocol";

/** What a route answers: the body of a 200, or a refusal. */
export type ApiAnswer = { readonly ok: true; readonly value: object } | Refusal;
