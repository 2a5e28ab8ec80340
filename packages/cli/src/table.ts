import { printable } from "./printable.ts";

/** Columns as wide as what is in them. Whatever a gateway tells is made printable. */
export function tableOf(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const lines = [head, ...rows].map((row) => row.map((cell) => printable(String(cell))));
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const text = lines.map((line) => line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  "));
  return `${text.map((line) => line.trimEnd()).join("\n")}\n`;
}
