import type { Json } from "../plugins/index.ts";
import type { EventBody } from "./records.ts";

/** The data of an event as it is kept: without its largest members when it is larger than `maxBytes` as JSON. They are named. */
export function fitBody(data: { readonly [name: string]: Json }, maxBytes: number): EventBody {
  if (bytesOf(data) <= maxBytes) return { data };
  const bySize = Object.keys(data)
    .map((name) => ({ name, bytes: bytesOf(data[name]) }))
    .toSorted((a, b) => b.bytes - a.bytes);
  const kept: { [name: string]: Json } = { ...data };
  const leftOut: string[] = [];
  for (const { name } of bySize) {
    delete kept[name];
    leftOut.push(name);
    if (bytesOf(kept) <= maxBytes) break;
  }
  return { data: kept, leftOut };
}

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value) ?? "");
