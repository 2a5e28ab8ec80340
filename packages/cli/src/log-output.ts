/** The part of a process's output stream that is used. */
export type OutputStream = {
  /** False: more is waiting than the stream likes; `drain` follows when it has gone. */
  write(text: string): boolean;
  on(event: "drain" | "error", listener: () => void): unknown;
};

/** What may wait for a reader that takes nothing. */
const WAITING_MAX_BYTES = 1024 * 1024;

/**
 * Writes log lines to a stream that may be stuck, full or gone (`aldis start | head -1`, a full disk): the gateway neither waits for it
 * nor keeps what it does not take. Beyond 1 MiB lines are dropped; how many is said in a line of its own when
 * somebody reads again. What the runtime would keep has no bound, and its count of it is always 0 (Bun 1.4.5).
 */
export function createLogOutput(
  stream: OutputStream,
  nowMs: () => number = Date.now,
): (line: string) => void {
  let stuck = false;
  let waitingBytes = 0;
  let dropped = 0;

  function write(line: string): void {
    if (stream.write(line)) return;
    stuck = true;
    waitingBytes += line.length;
  }

  function goOn(): void {
    stuck = false;
    waitingBytes = 0;
    if (dropped === 0) return;
    const told = { level: "warn", time: nowMs(), lines: dropped, msg: "log lines were dropped" };
    dropped = 0;
    write(`${JSON.stringify(told)}\n`);
  }

  stream.on("drain", goOn);
  // The reader has gone, or the disk is full: there is nowhere to tell it. The next line tries anew.
  stream.on("error", () => {
    stuck = false;
    waitingBytes = 0;
  });
  return (line) => {
    if (stuck && waitingBytes + line.length > WAITING_MAX_BYTES) dropped++;
    else write(line);
  };
}
