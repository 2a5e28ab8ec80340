/** BullMQ, loaded when there is a Redis: nobody else pays for it. */
export async function loadBullmq(): Promise<typeof import("bullmq")> {
  return await import("bullmq");
}
