import type { ParkedSession } from "../parking.ts";

type Follower = {
  readonly wants: (session: ParkedSession) => boolean;
  give(session: ParkedSession | undefined): void;
  fail(error: unknown): void;
};

/** A session that is being taken. Whoever asks for it meanwhile follows: the last of them that it is meant for gets it (SE7). */
export class Claim {
  readonly name: string;
  readonly #followers: Follower[] = [];

  /** `name`: tells it from the other claims of this node. */
  constructor(name: string) {
    this.name = name;
  }

  /** Gives the session, or undefined when another one got it. */
  follow(wants: Follower["wants"]): Promise<ParkedSession | undefined> {
    return new Promise((give, fail) => this.#followers.push({ wants, give, fail }));
  }

  /** What is left for the one who began. */
  async settle(taking: Promise<ParkedSession | undefined>): Promise<ParkedSession | undefined> {
    try {
      return this.#share(await taking);
    } catch (error) {
      for (const follower of this.#followers) follower.fail(error);
      throw error;
    }
  }

  #share(session: ParkedSession | undefined): ParkedSession | undefined {
    let left = session;
    for (const follower of this.#followers.toReversed()) {
      const gets = left !== undefined && follower.wants(left);
      follower.give(gets ? left : undefined);
      if (gets) left = undefined;
    }
    return left;
  }
}
