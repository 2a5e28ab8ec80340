// The section `typing` of the configuration.
import { z } from "zod";

const ms = (doc: string, min = 1) =>
  z.number().int().min(min).max(Number.MAX_SAFE_INTEGER).meta({ doc, unit: "ms" });

export const typingSchema = z.strictObject({
  expiryMs: ms("How long `typing` holds without being repeated").default(5_000),
  minIntervalMs: ms(
    "In it others are told of two starts of a user's typing at most; 0 tells all",
    0,
  ).default(1_000),
});

export type TypingConfig = z.output<typeof typingSchema>;
