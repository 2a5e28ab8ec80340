// Puts the page together: a client for the tab's user, their rooms, the one that is open, their notifications.
import type { AldisError } from "@aldis/client";
import { byId } from "../page/dom.ts";
import { keepTabName, tabName } from "../page/names.ts";
import { createNetwork } from "../page/network.ts";
import { createStatusView } from "../page/status-view.ts";
import { showBell } from "./bell-view.ts";
import { connectAs, type DemoClient } from "./connect.ts";
import { OpenRoom } from "./open-room.ts";
import { createRoomsView } from "./rooms-view.ts";

const CUT_MS = 8_000;
const CLOCK_MS = 250;
const LATENCY_MS = 5_000;
const FIRST_ROOM = "chat:lobby";

const network = createNetwork();
const status = createStatusView();
const note = byId("room-note", HTMLElement);
const open = new OpenRoom((message) => {
  note.textContent = message;
});
const roomsView = createRoomsView((room) => enterRoom(room));
let me = enter(tabName(sessionStorage));

function enter(name: string) {
  byId("name", HTMLInputElement).value = name;
  const client = connectAs(name, network);
  const rooms = client.chat.rooms();
  const stops = [
    rooms.onChange((view) => roomsView.show(view, open.name)),
    client.on("state", (state) => {
      status.show(state, network.cutUntilMs);
      measureLatency(client);
    }),
    showBell(client.notifications()),
  ];
  client.connect();
  return {
    name,
    client,
    rooms,
    close() {
      for (const stop of stops) stop();
      open.close();
      rooms.close();
      client.close();
    },
  };
}

function enterRoom(room: string): void {
  note.textContent = "";
  open.show(me.client.chat(room, { delivered: true }), me.name);
  history.replaceState(null, "", `#${encodeURIComponent(room)}`);
  roomsView.show(me.rooms.view, open.name);
}

enterRoom(decodeURIComponent(location.hash.slice(1)) || FIRST_ROOM);

byId("open-room", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const field = byId("room-name", HTMLInputElement);
  const name = field.value.trim();
  if (name === "") return;
  const isPrivate = byId("room-private", HTMLInputElement).checked;
  const made = isPrivate ? makePrivate(name) : joinPublic(name);
  made.then(
    (room) => {
      field.value = "";
      enterRoom(room);
    },
    (error: AldisError) => {
      note.textContent = `${error.message}.`;
    },
  );
});

async function makePrivate(title: string): Promise<string> {
  const members = byId("room-members", HTMLInputElement)
    .value.split(",")
    .map((user) => user.trim())
    .filter((user) => user !== "" && user !== me.name)
    .map((user) => ({ user }));
  // The gateway makes the name: nobody can find out by trying whether there is such a room.
  const { room } = await me.client.chat.create({ access: "private", title, members });
  return room;
}

async function joinPublic(name: string): Promise<string> {
  const { room } = await me.client.chat.join(`chat:${name.replace(/^chat:/, "")}`);
  return room;
}

byId("notify", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const title = byId("notify-title-text", HTMLInputElement);
  const told = byId("notify-note", HTMLElement);
  const user = byId("notify-user", HTMLInputElement).value.trim();
  const priority = byId("notify-urgent", HTMLInputElement).checked ? "urgent" : "normal";
  me.client
    .notifications()
    .send({ user, title: title.value.trim(), priority })
    .then(
      () => {
        title.value = "";
        told.textContent = `It waits for ${user} until it is dismissed.`;
      },
      (error: AldisError) => {
        told.textContent = `${error.message}.`;
      },
    );
});

byId("rename", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const name = byId("name", HTMLInputElement).value.trim();
  if (name === "" || name === me.name) return;
  keepTabName(sessionStorage, name);
  const room = open.name;
  me.close();
  me = enter(name);
  enterRoom(room);
});

byId("cut", HTMLButtonElement).addEventListener("click", () => network.cut(CUT_MS));

setInterval(() => status.show(me.client.state, network.cutUntilMs), CLOCK_MS);
setInterval(() => measureLatency(me.client), LATENCY_MS);

function measureLatency(client: DemoClient): void {
  if (client.state.name !== "connected") return status.showLatency(undefined);
  client.ping({ signal: AbortSignal.timeout(LATENCY_MS) }).then(status.showLatency, () => {
    status.showLatency(undefined);
  });
}
