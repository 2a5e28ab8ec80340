import { createClient } from "@aldis/client";
import { chat } from "@aldis/client/chat";
import { notifications } from "@aldis/client/notifications";
import { fetchToken } from "../page/dev-token.ts";
import type { Network } from "../page/network.ts";

/** A client for the tab's user, with chat and notifications. */
export function connectAs(name: string, network: Network) {
  return createClient({
    url: new URL("/ws", location.href).href,
    token: ({ signal }) => fetchToken(name, signal),
    WebSocket: network.WebSocket,
    use: { chat, notifications },
  });
}

export type DemoClient = ReturnType<typeof connectAs>;
