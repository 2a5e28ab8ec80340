// A name server of the tests' own: says what it is told to, and counts who asks for what.
import { createSocket } from "node:dgram";
import { isIPv4, isIPv6 } from "node:net";

const A = 1;
const AAAA = 28;

export type NameServer = AsyncDisposable & {
  /** As `outbound.nameServers` takes it. */
  readonly address: string;
  /** Addresses by name, asked for each time; undefined: it does not answer. */
  readonly answers: Map<string, () => readonly string[] | undefined>;
  /** Names that it was asked for the IPv4 addresses of. */
  readonly asked: string[];
};

export async function startNameServer(): Promise<NameServer> {
  const socket = createSocket("udp4");
  const answers: NameServer["answers"] = new Map();
  const asked: string[] = [];
  const told = new Map<string, readonly string[] | undefined>();
  socket.on("message", (query, { port, address }) => {
    const { name, type, end } = questionIn(query);
    if (type === A) {
      asked.push(name);
      told.set(name, answers.get(name)?.());
    }
    const all = answers.has(name) ? told.get(name) : [];
    if (all === undefined) return;
    socket.send(answerTo(query.subarray(0, end), type, all), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    answers,
    asked,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function questionIn(query: Buffer): {
  readonly name: string;
  readonly type: number;
  readonly end: number;
} {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("ascii", at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join("."), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answerTo(question: Buffer, type: number, all: readonly string[]): Buffer {
  const wanted = all.filter((address) => (type === AAAA ? isIPv6(address) : isIPv4(address)));
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(wanted.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...wanted.map((address) => recordOf(type, address))]);
}

/** Of the name in the question, good for a minute. */
function recordOf(type: number, address: string): Buffer {
  const bytes = isIPv4(address) ? address.split(".").map(Number) : bytesOf(address);
  return Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]);
}

function bytesOf(address: string): number[] {
  const [before = "", after] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const tail = groups(after ?? "");
  const head = groups(before);
  const zeros = after === undefined ? 0 : 8 - head.length - tail.length;
  const all = [...head, ...Array.from({ length: zeros }, () => "0"), ...tail];
  return all.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}
