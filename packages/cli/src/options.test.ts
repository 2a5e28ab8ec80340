import { expect, test } from "bun:test";
import {
  gatewayUrl,
  parseCount,
  parseDuration,
  parseJson,
  parsePort,
  parseUrl,
} from "./options.ts";
import { printable } from "./printable.ts";

test.each([
  ["90s", 90],
  ["15m", 900],
  ["1h", 3_600],
  ["7d", 604_800],
])("the time %s is %d seconds", (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test.each(["", "1", "h", "0h", "-1h", "1.5h", "1 h", "1w", "9999999999h"])(
  "%j is no time",
  (text) => {
    expect(() => parseDuration(text)).toThrow("such as");
  },
);

test.each([
  ["http://localhost:8965", "http://localhost:8965"],
  ["https://live.example.com/", "https://live.example.com"],
  ["wss://live.example.com/ws", "https://live.example.com"],
  ["ws://127.0.0.1:1/ws/", "http://127.0.0.1:1"],
  ["https://example.com/live/ws", "https://example.com/live"],
])("%s is the gateway at %s", (given, url) => {
  expect(parseUrl(given)).toBe(url);
});

test.each(["", "localhost:8965", "ftp://example.com", "http://", "file:///etc/passwd"])(
  "%j is no address",
  (text) => {
    expect(() => parseUrl(text)).toThrow("address");
  },
);

test("the gateway is the one given, then the environment's, then the usual one", () => {
  const context = (env: Record<string, string>) => ({ env, out() {}, log() {}, note() {} });
  expect(gatewayUrl(context({ ALDIS_URL: "http://env" }), "http://given")).toBe("http://given");
  expect(gatewayUrl(context({ ALDIS_URL: "http://env/" }), undefined)).toBe("http://env");
  expect(gatewayUrl(context({ ALDIS_URL: "" }), undefined)).toBe("http://localhost:8965");
});

test("ports and counts are whole and bounded", () => {
  expect(parsePort("0")).toBe(0);
  expect(parsePort("65535")).toBe(65_535);
  for (const text of ["", "-1", "65536", "80a", "1e3"]) expect(() => parsePort(text)).toThrow();
  expect(parseCount(100)("100")).toBe(100);
  for (const text of ["101", "-1", "x"]) expect(() => parseCount(100)(text)).toThrow("100");
});

test("data is JSON", () => {
  expect(parseJson('{"a":1}')).toEqual({ a: 1 });
  expect(() => parseJson("hello")).toThrow("quotes");
});

test("what others wrote cannot steer a terminal, and stays the same JSON", () => {
  const hostile = "\u001b[2J \u009b31m \u202e \u2066 \u0007 \r\n é 北 🎉";
  const shown = printable(JSON.stringify(hostile));
  expect(shown).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
  expect(shown).toContain("é 北 🎉");
  expect(JSON.parse(shown)).toBe(hostile);
});
