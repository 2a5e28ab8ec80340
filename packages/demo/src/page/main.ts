// Puts the page together: one room for the tab's name, the views, and what the user does.
import { showCommands } from "./commands-view.ts";
import { byId } from "./dom.ts";
import { createMessagesView } from "./messages-view.ts";
import { keepTabName, tabName } from "./names.ts";
import { createNetwork } from "./network.ts";
import { NOBODY } from "./people.ts";
import { showPeople } from "./people-view.ts";
import { Room } from "./room.ts";
import { createStatusView } from "./status-view.ts";
import { tell } from "./story-view.ts";
import { typingText } from "./typists.ts";

const CUT_MS = 8_000;
const CLOCK_MS = 250;
const LATENCY_MS = 5_000;
const PEOPLE_MS = 10_000;

const network = createNetwork();
const status = createStatusView();
const messages = createMessagesView((id) => room.retry(id));
const text = byId("text", HTMLInputElement);
const earlier = byId("earlier", HTMLButtonElement);
const nameField = byId("name", HTMLInputElement);
let room = enter(tabName(sessionStorage));

function enter(name: string): Room {
  nameField.value = name;
  showPeople(NOBODY, name);
  const entered: Room = new Room(name, network, {
    onState(state) {
      status.show(state, network.cutUntilMs);
      measureLatency(entered);
    },
    onTimeline() {
      messages.show(entered.timeline.entries(), name);
      earlier.hidden = (entered.timeline.firstOffset ?? 1) === 1;
    },
    onPeople: (crowd) => showPeople(crowd, name),
    onTyping(names) {
      byId("typing", HTMLElement).textContent = typingText(names);
    },
    onStory: tell,
  });
  entered.connect();
  entered.setStatus(currentStatus());
  return entered;
}

function currentStatus(): "active" | "away" {
  return document.visibilityState === "hidden" ? "away" : "active";
}

byId("composer", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const said = text.value.trim();
  if (said === "") return;
  room.say(said);
  text.value = "";
});
text.addEventListener("input", () => room.typing(text.value.trim() !== ""));

byId("rename", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const name = nameField.value.trim();
  if (name === "" || name === room.name) return;
  keepTabName(sessionStorage, name);
  const { unsent } = room.timeline;
  if (unsent > 0) tell(`Given up with the name ${room.name}: ${unsent} unsent.`, "bad");
  room.close();
  room = enter(name);
  text.focus();
});

byId("cut", HTMLButtonElement).addEventListener("click", () => {
  tell(
    `You cut this tab's connection for ${CUT_MS / 1000} seconds. What others write meanwhile waits at the gateway; what you write waits here.`,
    "plain",
  );
  network.cut(CUT_MS);
});

earlier.addEventListener("click", () => {
  room.loadEarlier().then(
    (more) => {
      if (!more) earlier.hidden = true;
    },
    () => tell("Earlier messages could not be loaded.", "bad"),
  );
});

document.addEventListener("visibilitychange", () => room.setStatus(currentStatus()));

/** Counted-down seconds, latency, and tabs that were opened or closed, which no push tells of. */
setInterval(() => status.show(room.state, network.cutUntilMs), CLOCK_MS);
setInterval(() => measureLatency(room), LATENCY_MS);
setInterval(() => {
  // It waits for no answer: the next round asks again.
  if (room.state.name === "connected") room.refreshPeople().catch(() => {});
}, PEOPLE_MS);

function measureLatency(measured: Room): void {
  if (measured.state.name !== "connected") return status.showLatency(undefined);
  measured.ping().then(status.showLatency, () => status.showLatency(undefined));
}

showCommands(location.origin);
text.focus();
