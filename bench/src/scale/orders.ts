/** Answers each order of the process that started this one by what `carryOut` reports, and ends with it. */
export function takeOrders<Order>(carryOut: (order: Order) => Promise<unknown>): void {
  process.on("message", (order: Order) => {
    carryOut(order).then(
      (report) => process.send?.(report),
      (error: Error) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  // Whoever started it is gone.
  process.on("disconnect", () => process.exit(0));
}
