import type { Clock, Timer } from "./clock.ts";

/** Something that is due at a time. Kept in the item itself, so that waiting costs no further object. */
export type Due = {
  /** Monotonic milliseconds. */
  dueAtMs: number;
  /** Its place in the heap, -1 when it is in none; for {@link Deadlines} alone. */
  heapIndex: number;
};

export type Deadlines<T extends Due> = {
  /** Puts `item` at `dueAtMs`, from wherever it was. O(log n). */
  set(item: T, dueAtMs: number): void;
  remove(item: T): void;
  /** All that wait, in no order. */
  items(): readonly T[];
  readonly size: number;
  close(): void;
};

/**
 * Calls `onDue` for each item when its time has come, with one timer for all of them: a hundred thousand
 * connections have a hundred thousand deadlines, and almost all are moved before they come.
 * `onDue` may set the item again. Items due together come in one turn, at most `BATCH` of them.
 */
export function createDeadlines<T extends Due>(
  clock: Clock,
  onDue: (item: T) => void,
): Deadlines<T> {
  const heap: T[] = [];
  let timer: Timer | undefined;
  let timerAtMs = Number.POSITIVE_INFINITY;
  let closed = false;

  function arm(): void {
    const first = heap[0];
    if (closed || first === undefined || first.dueAtMs >= timerAtMs) return;
    timer?.cancel();
    timerAtMs = first.dueAtMs;
    timer = clock.setTimer(Math.ceil(timerAtMs - clock.monotonicMs()), fire);
  }

  function fire(): void {
    timer = undefined;
    timerAtMs = Number.POSITIVE_INFINITY;
    const now = clock.monotonicMs();
    try {
      for (let handled = 0; handled < BATCH; handled++) {
        const first = heap[0];
        if (closed || first === undefined || first.dueAtMs > now) break;
        removeAt(heap, 0);
        onDue(first);
      }
    } finally {
      // One item that breaks must not stop the clock of all others.
      arm();
    }
  }

  return {
    set(item, dueAtMs) {
      if (item.heapIndex < 0) {
        item.heapIndex = heap.length;
        heap.push(item);
      }
      item.dueAtMs = dueAtMs;
      siftDown(heap, siftUp(heap, item.heapIndex));
      arm();
    },
    remove(item) {
      if (item.heapIndex >= 0) removeAt(heap, item.heapIndex);
    },
    items: () => [...heap],
    get size() {
      return heap.length;
    },
    close() {
      closed = true;
      timer?.cancel();
      for (const item of heap) item.heapIndex = -1;
      heap.length = 0;
    },
  };
}

/** So many that a storm of expiries still leaves the loop free for others between two batches. */
const BATCH = 1_000;

function place<T extends Due>(heap: T[], index: number, item: T): void {
  heap[index] = item;
  item.heapIndex = index;
}

function siftUp<T extends Due>(heap: T[], start: number): number {
  const item = heap[start];
  let index = start;
  while (item !== undefined && index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex];
    if (parent === undefined || parent.dueAtMs <= item.dueAtMs) break;
    place(heap, index, parent);
    index = parentIndex;
  }
  if (item !== undefined) place(heap, index, item);
  return index;
}

function siftDown<T extends Due>(heap: T[], start: number): void {
  const item = heap[start];
  if (item === undefined) return;
  let index = start;
  for (;;) {
    const child = smallerChild(heap, index);
    if (child === undefined || child.dueAtMs >= item.dueAtMs) break;
    const childIndex = child.heapIndex;
    place(heap, index, child);
    index = childIndex;
  }
  place(heap, index, item);
}

function smallerChild<T extends Due>(heap: T[], index: number): T | undefined {
  const left = heap[2 * index + 1];
  const right = heap[2 * index + 2];
  if (left === undefined || right === undefined) return left;
  return right.dueAtMs < left.dueAtMs ? right : left;
}

function removeAt<T extends Due>(heap: T[], index: number): void {
  const item = heap[index];
  const last = heap.pop();
  if (item === undefined || last === undefined) return;
  item.heapIndex = -1;
  if (item === last) return;
  place(heap, index, last);
  siftDown(heap, siftUp(heap, index));
}
