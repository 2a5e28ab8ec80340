/** What users see: their orders as they change, and who else is there. */
import { type ClientState, createClient } from "@aldis/client";
import { RpcError, rpc } from "@aldis/client/rpc";
import type { Order } from "./app.ts";

declare const GATEWAY: string;

const user = new URLSearchParams(location.search).get("user") ?? "ann";
const place = (id: string) => document.getElementById(id) as HTMLElement;

const client = createClient({
  url: GATEWAY,
  token: async () => (await (await fetch(`/token?user=${user}`)).json()).token,
  use: { rpc },
});

client.on("state", ({ name }: ClientState) => {
  place("state").textContent = `${user}: ${name}`;
});
client.on("direct", ({ event, data }) => {
  if (event === "ordered") show(data as Order);
});
client.connect();

/** A row for each order, which follows its channel. */
function show(order: Order): void {
  const row = place("orders").appendChild(document.createElement("li"));
  const text = row.appendChild(document.createElement("span"));
  const draw = ({ id, state }: Order) => {
    text.textContent = `order ${id}: ${state}`;
    row.className = state;
  };
  draw(order);
  const pay = row.appendChild(document.createElement("button"));
  pay.textContent = "Pay";
  // The shop changes the order and publishes it: every tab of this user hears of it, also this one.
  pay.onclick = () => fetch(`/orders/${order.id}/pay`, { method: "POST" });
  client.subscribe(`orders:${order.id}`).on("message", ({ data }) => draw(data as Order));
}

place("new").onclick = () => client.rpc("buy");

place("others").onclick = async () => {
  try {
    await client.rpc("order", { id: "41" });
  } catch (error) {
    place("answer").textContent =
      error instanceof RpcError ? `${error.code}: ${error.message}` : `${error}`;
  }
};

setInterval(async () => {
  place("here").textContent = (await (await fetch("/here")).json()).join(", ");
}, 1_000);

for (const order of await client.rpc<Order[]>("orders")) show(order);
