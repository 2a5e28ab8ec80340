// Logs far more than anybody reads, a little in each turn of the loop, then tells what that cost.
import { openConsole } from "../../src/console.ts";

const { log, note } = openConsole();
const line = `${"x".repeat(999)}\n`;
let lines = 0;
const timer = setInterval(() => {
  for (let n = 0; n < 5_000; n++) log(line);
  lines += 5_000;
  if (lines < 200_000) return;
  clearInterval(timer);
  note(`rss ${process.memoryUsage().rss}`);
  process.exit(0);
}, 1);
