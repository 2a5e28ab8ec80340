import { createBackend } from "@aldis/backend";
import { createApp, newOrder } from "./app.ts";
import { introduce } from "./introduce.ts";
import { servePage } from "./serve-page.ts";

const { ALDIS_URL = "http://localhost:8965", ALDIS_API_KEY = "", PORT = "3000" } = process.env;
const { ALDIS_JWT_SECRET = "", ALDIS_BACKEND_SECRETS = "" } = process.env;

const backend = createBackend({ url: ALDIS_URL, apiKey: ALDIS_API_KEY });
const given = ALDIS_BACKEND_SECRETS.split(",").filter((secret) => secret !== "");
// In earnest one that is kept, and given to the gateway once.
const secret = `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;

const app = createApp({
  backend,
  jwtSecret: ALDIS_JWT_SECRET,
  secrets: given.length > 0 ? given : [secret],
  orders: new Map([["42", newOrder("42", "ann")]]),
  here: new Map(),
  onError: (error) => console.error(error),
});
await servePage(app, ALDIS_URL);
app.listen(Number(PORT), () => console.log(`the shop is at http://localhost:${PORT}`));
if (given.length === 0) await introduce(backend, { url: `http://localhost:${PORT}/aldis`, secret });
