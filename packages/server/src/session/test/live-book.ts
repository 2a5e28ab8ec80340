import type { ParkedSession } from "../parking.ts";
import { type LiveSession, type LiveView, MARK } from "../session-store.ts";

/** A connected session without a connection: it stands where a test says. */
export class BookedSession implements LiveSession {
  readonly id: string;
  storeMark: number = MARK.clean;
  stands: ParkedSession;
  authenticated = true;
  /** It was let go: the close code says to come back. */
  mayComeBack = false;
  readonly #book: LiveBook;

  constructor(book: LiveBook, id: string, stands: ParkedSession) {
    this.#book = book;
    this.id = id;
    this.stands = stands;
  }

  get identity() {
    return this.stands.identity;
  }

  get tokenWanted() {
    return this.stands.tokenWanted ?? false;
  }

  get turn() {
    return this.stands.turn ?? 0;
  }

  standing(): ParkedSession {
    return this.stands;
  }

  handOver(): ParkedSession {
    this.end();
    return this.stands;
  }

  letGo(): void {
    this.mayComeBack = true;
    this.end();
  }

  end(): void {
    this.authenticated = false;
    this.storeMark = MARK.over;
    this.#book.remove(this);
  }
}

/** The connected sessions of a node that has no connections. */
export class LiveBook implements LiveView {
  readonly #byId = new Map<string, BookedSession>();

  add(id: string, stands: ParkedSession): BookedSession {
    const session = new BookedSession(this, id, stands);
    this.#byId.set(id, session);
    return session;
  }

  remove(session: BookedSession): void {
    if (this.#byId.get(session.id) === session) this.#byId.delete(session.id);
  }

  get size(): number {
    return this.#byId.size;
  }

  bySession(id: string): BookedSession | undefined {
    return this.#byId.get(id);
  }

  all(): Iterable<BookedSession> {
    return this.#byId.values();
  }
}
