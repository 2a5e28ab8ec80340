import { refusal } from "../plugins/index.ts";

/** One answer for what one may not and for what is not there (CT3): the words of the core's, so that not even they tell. */
export const forbidden = () => refusal("forbidden", "not allowed in this channel");
export const noMessage = () => refusal("not_found", "no such message");
export const conflict = (message: string) => refusal("conflict", message);
export const overLimit = (message: string) => refusal("limit_reached", message);
export const badRequest = (message: string) => refusal("bad_request", message);
