const POLL_MS = 2;
/**
 * Only ever reached by a test that fails: far beyond what a slow machine needs. Whoever expects tests to fail, as the suite
 * `guards` does, sets `ALDIS_TEST_GIVE_UP_MS` to wait less.
 */
export const GIVE_UP_MS = Number(Bun.env["ALDIS_TEST_GIVE_UP_MS"] ?? 20_000);

/**
 * Waits until `condition` gives something truthy and returns that. Fails after a long time, with `what` it waited for; `moreMs` are added to
 * that where much is to be done.
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  moreMs = 0,
): Promise<NonNullable<T>> {
  const untilMs = performance.now() + GIVE_UP_MS + moreMs;
  for (;;) {
    const value = await condition();
    if (value) return value as NonNullable<T>;
    if (performance.now() > untilMs) throw new Error(`gave up waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
