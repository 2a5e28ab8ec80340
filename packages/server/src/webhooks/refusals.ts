import { refusal } from "../plugins/index.ts";

/** The same for one that is not there and for another tenant's (P2). */
export const noEndpoint = () => refusal("not_found", "no such endpoint");
export const badRequest = (message: string) => refusal("bad_request", message);
export const changedMeanwhile = () =>
  refusal("conflict", "it was changed by somebody else at the same time; try again");
