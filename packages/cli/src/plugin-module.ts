import * as contract from "@aldis/server/plugin";

/** What plugins import. */
const NAME = "@aldis/server/plugin";

/**
 * Has every plugin find the contract of this very process, wherever its file lies and whatever is installed beside it: nothing has to be, and there are no two
 * copies of it.
 */
export function sharePluginContract(): void {
  Bun.plugin({
    name: NAME,
    setup(build) {
      build.module(NAME, () => ({ exports: { ...contract }, loader: "object" }));
    },
  });
}
