/** docs/protocol.md and the tables of the code say the same, both ways. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHANNEL_NAME_MAX_LENGTH } from "./channel.ts";
import { CLOSE } from "./close.ts";
import { FIELD_LIMITS } from "./decode.ts";
import { ERRORS } from "./errors.ts";

const DOCUMENT = readFileSync(join(import.meta.dir, "../../../docs/protocol.md"), "utf8");

/** Rows of the table that the given comment announces, as arrays of trimmed cells. */
function tableAfter(comment: string): string[][] {
  const start = DOCUMENT.indexOf(`<!-- ${comment}`);
  if (start < 0) throw new Error(`docs/protocol.md has no comment \`${comment}\``);
  const rows: string[][] = [];
  for (const line of DOCUMENT.slice(start).split("\n").slice(1)) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

/** The text of a numbered rule, up to the next one. */
function rule(id: string): string {
  const start = DOCUMENT.indexOf(`**[${id}]**`);
  if (start < 0) throw new Error(`docs/protocol.md has no rule ${id}`);
  const end = /\n\n|\n- \*\*\[/.exec(DOCUMENT.slice(start));
  return DOCUMENT.slice(start, end === null ? undefined : start + end.index).replace(/\s+/g, " ");
}

function section(title: string): string {
  const start = DOCUMENT.indexOf(title);
  if (start < 0) throw new Error(`docs/protocol.md has no section ${title}`);
  const end = DOCUMENT.indexOf("\n## ", start);
  return DOCUMENT.slice(start, end < 0 ? undefined : end).replace(/\s+/g, " ");
}

test("[ER1] the table of errors is ERRORS", () => {
  const coded = Object.entries(ERRORS).map(([code, { status, temporary, means }]) => [
    `\`${code}\``,
    String(status),
    temporary ? "yes" : "no",
    means,
  ]);
  expect(tableAfter("errors:")).toEqual(coded);
});

test("[CL1] the table of close codes is CLOSE", () => {
  const coded = Object.values(CLOSE).map(({ code, reason, retry }) => [
    String(code),
    reason,
    retry,
  ]);
  expect(tableAfter("close codes:")).toEqual(coded);
});

describe("section 14 lists FIELD_LIMITS", () => {
  const limits = section("## 14. Limits of fields");
  const { token, positionsMax, pageMax, pageDefault, lastMax } = FIELD_LIMITS;
  const phrases: Readonly<Record<keyof typeof FIELD_LIMITS, string>> = {
    action: `action ${FIELD_LIMITS.action}`,
    id: `command id ${FIELD_LIMITS.id}`,
    token: `token ${token.toLocaleString("en-US")}`,
    session: `session ${FIELD_LIMITS.session}`,
    event: `event ${FIELD_LIMITS.event}`,
    key: `publication key ${FIELD_LIMITS.key}`,
    idempotencyKey: `idempotency key ${FIELD_LIMITS.idempotencyKey}`,
    user: `user id ${FIELD_LIMITS.user}`,
    connection: `connection id ${FIELD_LIMITS.connection}`,
    status: `presence status ${FIELD_LIMITS.status}`,
    cursor: `cursor ${FIELD_LIMITS.cursor}`,
    epoch: `epoch ${FIELD_LIMITS.epoch}`,
    pageMax: `page size ${pageMax}`,
    pageDefault: `${pageDefault} unless asked`,
    lastMax: `\`last\` ${lastMax}`,
    positionsMax: `${positionsMax} positions`,
  };

  test.each(Object.entries(phrases))("%s", (_, phrase) => {
    expect(limits.toLowerCase()).toContain(phrase.toLowerCase());
  });

  test("and no other number", () => {
    const numbersIn = (text: string) =>
      [...text.matchAll(/\d[\d,]*/g)].map(([digits]) => Number(digits.replaceAll(",", "")));
    const told = numbersIn(limits.replace("## 14.", ""));
    const known = new Set(numbersIn(Object.values(phrases).join(" ")));
    expect(told.filter((number) => !known.has(number))).toEqual([]);
  });
});

test("the limits that rules repeat are the same there", () => {
  expect(rule("FR2")).toContain(`a string of 1 to ${FIELD_LIMITS.id} characters`);
  expect(rule("SU1")).toContain(`"last"?: 0…${FIELD_LIMITS.lastMax}`);
  expect(rule("HI1")).toContain(`"limit"?: 1…${FIELD_LIMITS.pageMax}`);
  expect(rule("PR1")).toContain(`"limit"?: 0…${FIELD_LIMITS.pageMax}`);
  expect(rule("CN1")).toContain(`1 to ${CHANNEL_NAME_MAX_LENGTH} characters`);
});

test("no rule id stands twice", () => {
  const ids = [...DOCUMENT.matchAll(/^- \*\*\[([A-Z]{2}\d+)\]\*\*/gm)].map(([, id]) => id);
  expect(ids.length).toBeGreaterThan(50);
  expect(new Set(ids).size).toBe(ids.length);
});
