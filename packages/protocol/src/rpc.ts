import type { Json } from "./types.ts";

/** Answers `rpc` (BC2): what the backend said. `error`: it was asked, and said no. */
export type RpcBody =
  | { result: Json; error?: undefined }
  | { error: { code: string; message: string; data?: Json } };
