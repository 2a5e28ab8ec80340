/**
 * Keeps the loop from sleeping. A server's `send` has to wake a sleeping reader on this machine, which
 * costs the server's core several µs; clients on other machines cost it nothing of the kind.
 */
export function keepAwake(): { stop(): void } {
  let isOn = true;
  const turn = () => {
    if (isOn) {
      setImmediate(turn);
    }
  };
  turn();
  return {
    stop() {
      isOn = false;
    },
  };
}
