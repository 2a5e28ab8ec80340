/** A script of these tests as a process of its own, which is killed at the end in any case. */
export type Child = AsyncDisposable & {
  /** Everything that it has written. */
  text(): string;
  /** `kill -9`, and waits until it has gone. */
  kill(): Promise<void>;
  readonly exited: Promise<number>;
};

export function startChild(script: string, args: readonly string[]): Child {
  const path = new URL(script, import.meta.url).pathname;
  const child = Bun.spawn([process.execPath, path, ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  let text = "";
  const read = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) text += decoder.decode(chunk, { stream: true });
  })();
  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await child.exited;
    await read;
  }
  return { text: () => text, kill, exited: child.exited, [Symbol.asyncDispose]: kill };
}
