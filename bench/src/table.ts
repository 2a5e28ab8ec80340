/** A Markdown table with its columns lined up; the first column to the left, the others to the right. */
export function renderTable(rows: string[][]): string {
  const [header, ...body] = rows;
  if (header === undefined) {
    return "";
  }
  const widths = header.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (row: string[]) =>
    `| ${widths.map((width, column) => cell(row[column] ?? "", width, column)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(header), rule, ...body.map(line)].join("\n");
}

function cell(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
