import type { ChatItem, ChatRoom, ChatRoomView } from "@aldis/client/chat";
import { byId } from "../page/dom.ts";
import { typingText } from "../page/typists.ts";
import { createConversationView } from "./conversation-view.ts";
import { quoteOf, textOf } from "./entries.ts";
import { showSearch } from "./search-view.ts";

/** What the composer is about beside saying something new. */
type About = { readonly kind: "reply" | "edit"; readonly message: ChatItem };

/** The conversation in the middle: one room at a time. */
export class OpenRoom {
  readonly #name = byId("room-title", HTMLElement);
  readonly #here = byId("room-here", HTMLElement);
  readonly #typing = byId("typing", HTMLElement);
  readonly #older = byId("older", HTMLElement);
  readonly #latest = byId("latest", HTMLButtonElement);
  readonly #text = byId("text", HTMLInputElement);
  readonly #about = byId("about", HTMLElement);
  readonly #view = createConversationView({
    nearStart: () => this.#loadOlder(),
    nearEnd: () => this.#onEnd(),
    reply: (message) => this.#setAbout({ kind: "reply", message }),
    edit: (message) => this.#setAbout({ kind: "edit", message }),
    remove: (message) => this.#tell(this.#room?.delete(message.seq)),
    react: (message, emoji, on) => this.#tell(this.#room?.react(message.seq, emoji, on)),
    retry: ({ key }) => this.#room?.retry(key),
    discard: ({ key }) => this.#room?.discard(key),
  });
  readonly #onProblem: (message: string) => void;
  #room: ChatRoom | undefined;
  #me = "";
  #stops: (() => void)[] = [];
  #what: About | undefined;
  #isReading = false;

  constructor(onProblem: (message: string) => void) {
    this.#onProblem = onProblem;
    byId("composer", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener("input", () => {
      this.#room?.subscription.typing(this.#text.value.trim() !== "");
    });
    this.#text.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.#setAbout(undefined);
    });
    byId("about-end", HTMLButtonElement).addEventListener("click", () => this.#setAbout(undefined));
    this.#latest.addEventListener("click", () => this.#tell(this.#room?.loadLatest()));
    for (const event of ["visibilitychange", "focus"]) {
      window.addEventListener(event, () => this.#onEnd());
    }
    showSearch({
      search: (q) => this.#room?.search(q),
      reveal: (seq) => this.#reveal(seq),
      failed: onProblem,
    });
  }

  get name(): string {
    return this.#room?.name ?? "";
  }

  show(room: ChatRoom, me: string): void {
    this.close();
    this.#room = room;
    this.#me = me;
    const typists = new Set<string>();
    const { subscription } = room;
    this.#stops = [
      room.onChange((view) => this.#show(view)),
      subscription.on("typing", ({ user, typing }) => {
        if (typing) typists.add(user.name ?? user.id);
        else typists.delete(user.name ?? user.id);
        this.#typing.textContent = typingText(typists);
      }),
      subscription.on("presence", ({ count }) => this.#showHere(count)),
      subscription.on("subscribed", () => this.#askWhoIsHere(room)),
    ];
    this.#askWhoIsHere(room);
    // Who has read what is shown as it is told; how it stood before is asked for once.
    room.loadReceipts().catch(() => {});
    this.#show(room.view);
    this.#text.focus();
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#room?.close();
    this.#room = undefined;
    this.#view.clear();
    this.#setAbout(undefined);
    this.#typing.textContent = "";
    this.#here.textContent = "";
  }

  #show(view: ChatRoomView): void {
    const { room } = view;
    this.#name.textContent = room?.title ?? this.name.replace(/^chat:/, "");
    this.#latest.hidden = !view.hasNewer;
    this.#view.show(view, this.#me);
    if (view.state === "ended" && view.error !== undefined) {
      this.#onProblem(`This room is not open to you: ${view.error.message}.`);
    }
  }

  #showHere(count: number): void {
    this.#here.textContent = count === 1 ? "1 here" : `${count} here`;
  }

  #askWhoIsHere(room: ChatRoom): void {
    // Without a connection there is nothing to ask: it is asked after the next subscription.
    room.subscription.presence({ limit: 0 }).then(
      ({ count }) => room === this.#room && this.#showHere(count),
      () => {},
    );
  }

  #loadOlder(): void {
    if (this.#isReading || this.#room?.view.hasOlder !== true) return;
    this.#isReading = true;
    this.#older.hidden = false;
    this.#tell(
      this.#room.loadOlder().finally(() => {
        this.#isReading = false;
        this.#older.hidden = true;
      }),
    );
  }

  /** What is looked at is read. */
  #onEnd(): void {
    const { scrollHeight, scrollTop, clientHeight } = byId("scroll", HTMLElement);
    const isAtEnd = scrollHeight - scrollTop - clientHeight < 80;
    const room = this.#room;
    if (!isAtEnd || room === undefined || room.view.state !== "live") return;
    if (room.view.hasNewer) {
      if (!this.#isReading) this.#loadNewer(room);
    } else if (document.visibilityState === "visible") room.markRead();
  }

  #loadNewer(room: ChatRoom): void {
    this.#isReading = true;
    this.#tell(
      room.loadNewer().finally(() => {
        this.#isReading = false;
      }),
    );
  }

  #reveal(seq: number): void {
    const room = this.#room;
    if (room === undefined) return;
    const shown = () => this.#view.reveal(seq);
    if (room.view.messages.some((message) => message.seq === seq)) return shown();
    this.#tell(
      room.loadAround(seq).then(() => {
        requestAnimationFrame(shown);
      }),
    );
  }

  #submit(): void {
    const text = this.#text.value.trim();
    const room = this.#room;
    if (text === "" || room === undefined) return;
    const what = this.#what;
    this.#setAbout(undefined);
    this.#text.value = "";
    room.subscription.typing(false);
    if (what?.kind === "edit") return this.#tell(room.edit(what.message.seq, { text }));
    // A refusal shows at the message itself.
    room.send({ text, replyTo: what?.message.seq }).catch(() => {});
  }

  #setAbout(what: About | undefined): void {
    if (what?.kind === "edit") this.#text.value = textOf(what.message);
    else if (this.#what?.kind === "edit") this.#text.value = "";
    this.#what = what;
    this.#about.hidden = what === undefined;
    if (what === undefined) return;
    const verb = what.kind === "edit" ? "Editing" : "Answering";
    byId("about-text", HTMLElement).textContent = `${verb} ${quoteOf(what.message)}`;
    this.#text.focus();
  }

  #tell(done: Promise<void> | undefined): void {
    done?.catch((error: Error) => this.#onProblem(`${error.message}.`));
  }
}
