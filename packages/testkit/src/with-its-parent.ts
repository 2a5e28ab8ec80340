/**
 * Before a command: it ends with the process that started it, however that one ends, so that a test that is killed leaves nothing behind. Linux
 * alone has it.
 */
export const WITH_ITS_PARENT: readonly string[] =
  Bun.which("setpriv") === null ? [] : ["setpriv", "--pdeathsig", "KILL", "--"];
