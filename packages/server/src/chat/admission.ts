import { refusal } from "../plugins/index.ts";

/** Runs a command unless too many are under way: while the store is slow nobody can make the node hold more of them (P3). */
export type Admit = <T>(run: () => Promise<T>) => Promise<T>;

export function createAdmission(max: number, onRefused: () => void): Admit {
  let under = 0;
  return async (run) => {
    if (under >= max) {
      onRefused();
      throw refusal("unavailable", "too much is being asked of chat at this moment");
    }
    under++;
    try {
      return await run();
    } finally {
      under--;
    }
  };
}
