// Something that never finishes closing, under the real signal handling.
import { catchSignals } from "../../src/signals.ts";

const stopping = catchSignals();
setInterval(() => {}, 1_000);
console.log("running");
await stopping;
console.log("stopping");
await new Promise<void>(() => {});
