// Backends that publish until it is acknowledged, and people who come and go, over gateways that die.
import { API_KEY, accessTo, RawClient, type SeededRandom } from "@aldis/testkit";

const PATIENCE_MS = 15_000;

/** What they know: what was answered to them, and nothing else. */
export type CrowdTally = {
  going: boolean;
  /** Payloads that were acknowledged. */
  readonly acknowledged: Set<string>;
  /** Ids of sessions that had a `welcome`. */
  readonly sessions: Set<string>;
  /** Those of them that came while the store was away. */
  readonly unkept: Set<string>;
};

export type CrowdDeps = {
  readonly urls: readonly string[];
  readonly random: SeededRandom;
  readonly tally: CrowdTally;
};

/** Publishes one after the other, at whichever gateway, each again with its key until it is acknowledged. */
export async function publishOn(name: string, { urls, random, tally }: CrowdDeps): Promise<void> {
  for (let n = 0; tally.going; n++) {
    const data = `${name} ${n}`;
    while (!(await publish(random.pick(urls), data))) await Bun.sleep(50);
    tally.acknowledged.add(data);
    await Bun.sleep(random.between(0, 40));
  }
}

class Refused extends Error {}

async function publish(url: string, data: string): Promise<boolean> {
  const body = { channel: `room:${data.length % 3}`, data, idempotencyKey: data };
  try {
    const answer = await fetch(`${url}/api/publish`, {
      method: "POST",
      headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const said = await answer.text();
    // Away for now is what is waited for; all else would be waited for in vain.
    if (!answer.ok && answer.status !== 503) throw new Refused(`${answer.status}: ${said}`);
    return answer.ok;
  } catch (error) {
    if (error instanceof Refused) throw error;
    return false;
  }
}

/** Comes, stays for a little and goes or breaks, again and again. */
export async function comeAndGo(name: string, { urls, random, tally }: CrowdDeps): Promise<void> {
  while (tally.going) {
    const access = accessTo(random.pick(urls));
    const token = await access.token({ sub: name });
    const client = await RawClient.connect(`${access.wsUrl}?token=${token}`).catch(() => undefined);
    if (client === undefined) {
      await Bun.sleep(50);
      continue;
    }
    const credential = String(client.welcome.session);
    tally.sessions.add(credential.slice(0, credential.indexOf(".")));
    await Promise.race([client.closed, Bun.sleep(random.between(50, 3_000))]);
    if (random.chance(0.5)) client.cut();
    else await client.close(1000).catch(() => {});
  }
}
