import { createBackend } from "@aldis/backend";
import { createApp } from "./app.ts";

const { ALDIS_URL = "http://localhost:8965", ALDIS_API_KEY = "", PORT = "3000" } = process.env;
const { ALDIS_JWT_SECRET = "", ALDIS_BACKEND_SECRETS = "" } = process.env;

const app = createApp({
  backend: createBackend({ url: ALDIS_URL, apiKey: ALDIS_API_KEY }),
  jwtSecret: ALDIS_JWT_SECRET,
  secrets: ALDIS_BACKEND_SECRETS.split(",").filter((secret) => secret !== ""),
  orders: new Map([["42", { id: "42", owner: "ann", state: "open" }]]),
  here: new Map(),
  onError: (error) => console.error(error),
});
app.listen(Number(PORT), () => console.log(`the shop is at http://localhost:${PORT}`));
