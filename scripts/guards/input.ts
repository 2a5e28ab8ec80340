import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";
const SERVER_TESTS = "packages/server/test";

/** Hostile frames, names and origins. */
export const INPUT_GUARDS: readonly Guard[] = [
  {
    faults: [24, 33],
    breaks: "frames of any size are taken",
    file: `${SERVER}/listen/server.ts`,
    find: "maxPayloadLength: config.frameMaxBytes,",
    replace: "maxPayloadLength: 128 * 1024 * 1024,",
    test: `${SERVER_TESTS}/hostile-frames.test.ts`,
    named: "a message whose fragments never end is bounded by its bytes",
  },
  {
    faults: [33],
    breaks: "what is unpacked is not bounded",
    file: `${SERVER}/listen/server.ts`,
    find: "maxPayloadLength: config.frameMaxBytes,",
    replace: "maxPayloadLength: 128 * 1024 * 1024,",
    test: `${SERVER_TESTS}/listening.test.ts`,
    named: "(faults 33)",
  },
  {
    faults: [24, 34],
    breaks: "pings are not counted",
    file: `${SERVER}/connection/connection.ts`,
    find: "if (++this.#pings > this.#deps.limits.pingsPerMinute) {",
    replace: "if (++this.#pings > 1e9) {",
    test: `${SERVER_TESTS}/hostile-frames.test.ts`,
    named: "[LS3] a flood of pings",
  },
  {
    faults: [34],
    breaks: "pings between fragments are not counted",
    file: `${SERVER}/connection/connection.ts`,
    find: "if (++this.#pings > this.#deps.limits.pingsPerMinute) {",
    replace: "if (++this.#pings > 1e9) {",
    test: `${SERVER_TESTS}/hostile-frames.test.ts`,
    named: "one million empty fragments with a ping between each",
  },
  {
    faults: [25],
    breaks: "MessagePack reaches its decoder unjudged",
    file: `${SERVER}/codec/messagepack.ts`,
    find: "const flaw = scanMessagePack(message);",
    replace: "const flaw = message.length < 0 ? scanMessagePack(message) : undefined;",
    test: `${SERVER}/codec/messagepack.test.ts`,
    named: "faults 25: any bytes are answered by a command or a coded refusal",
  },
  {
    faults: [25],
    breaks: "`__proto__` is a key like others in MessagePack",
    file: "packages/protocol/src/scan-messagepack.ts",
    find: "return end >= 0 && isProto(bytes, end) && countOf(bytes, at) === 9 ? NOT_JSON : end;",
    replace:
      "return end >= 0 && isProto(bytes, end) && countOf(bytes, at) === -1 ? NOT_JSON : end;",
    test: "packages/protocol/src/scan-messagepack.test.ts",
    named: "a key `__proto__` deep inside",
  },
  {
    faults: [25],
    breaks: "claims are looked for in what every object has",
    file: `${SERVER}/auth/claims.ts`,
    find: "if (!isFields(value) || !Object.hasOwn(value, step)) return undefined;",
    replace:
      'if (value === null || value === undefined) return undefined;\n    if (typeof value === "string") return undefined;\n    value = Object(value);\n    if (!isFields(value)) return undefined;',
    test: `${SERVER}/auth/claims.test.ts`,
    named: "no path reaches what every object has",
  },
  {
    faults: [26],
    breaks: "any character is allowed in a channel name",
    file: "packages/protocol/src/channel.ts",
    find: "if (code > 127 || allowed[code] === 0) return i;",
    replace: "if (code < 0 || allowed[code] === 7) return i;",
    test: `${SERVER_TESTS}/channels.test.ts`,
    named: "is none, whoever is asked",
  },
  {
    faults: [26],
    breaks: "channel keys do not hold the tenant",
    file: `${SERVER}/tenant/tenant.ts`,
    find: "export function channelKey(tenant: TenantId, channel: ChannelName): ChannelKey {\n",
    replace:
      "export function channelKey(_: TenantId, channel: ChannelName): ChannelKey {\n  const tenant = 'all';\n",
    test: `${SERVER_TESTS}/tenants.test.ts`,
    named: "messages, offsets, epochs, history and recovery",
  },
  {
    faults: [24, 25],
    breaks: "one error of the gateway, repeated, floods the log",
    file: `${SERVER}/observe/limited-log.ts`,
    find: "return count <= LINES_PER_WINDOW;",
    replace: "return count > 0;",
    test: `${SERVER}/observe/limited-log.test.ts`,
    named: "[P3] five errors of a kind a minute",
  },
  {
    faults: [31],
    breaks: "what an error quotes is logged",
    file: `${SERVER}/observe/describe-error.ts`,
    find: 'message: quotesInput(error) ? "" : withoutQuotes(error.message),',
    replace: "message: quotesInput(error) ? error.message : error.message,",
    test: `${SERVER}/observe/describe-error.test.ts`,
    named: "[P7] what an error quotes is not logged",
  },
  {
    faults: [31],
    breaks: "pages of any origin may connect",
    file: `${SERVER}/listen/server.ts`,
    find: 'if (!allowsOrigin(headers.get("origin"), headers.get("host"))) {',
    replace: 'if (!allowsOrigin(null, headers.get("host"))) {',
    test: `${SERVER_TESTS}/listening.test.ts`,
    named: "origins (faults 31)",
  },
];
