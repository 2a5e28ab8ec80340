import type { ClientState } from "@aldis/client";
import { byId } from "./dom.ts";

export type StatusView = {
  /** To be called at every change, and every so often while time is shown. */
  show(state: ClientState, cutUntilMs: number | undefined): void;
  showLatency(ms: number | undefined): void;
};

export function createStatusView(): StatusView {
  const status = byId("status", HTMLElement);
  const text = byId("status-text", HTMLElement);
  const latency = byId("latency", HTMLElement);
  const cut = byId("cut", HTMLButtonElement);
  return {
    show(state, cutUntilMs) {
      status.dataset["state"] = state.name;
      // Who is here is old news without a connection; the page dims it.
      document.body.classList.toggle("away", state.name !== "connected");
      setText(text, cutUntilMs === undefined ? describe(state, Date.now()) : "Cut off");
      cut.disabled = cutUntilMs !== undefined || state.name !== "connected";
      const left = cutUntilMs === undefined ? 0 : secondsUntil(cutUntilMs, Date.now());
      setText(cut, cutUntilMs === undefined ? "Cut my connection" : `Cut for ${left} s more`);
    },
    showLatency(ms) {
      setText(latency, ms === undefined ? "" : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`);
    },
  };
}

/** Screen readers speak up at every change, also at one to the same text. */
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function describe(state: ClientState, nowMs: number): string {
  switch (state.name) {
    case "idle":
      return "Starting";
    case "connecting":
      return "Connecting…";
    case "connected":
      return "Connected";
    case "waiting":
      if (state.nextAttemptAt === null) return "Offline";
      return `Reconnecting in ${secondsUntil(state.nextAttemptAt, nowMs)} s`;
    case "closed":
      return `Closed: ${state.cause.message}`;
  }
}

function secondsUntil(atMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((atMs - nowMs) / 1000));
}
