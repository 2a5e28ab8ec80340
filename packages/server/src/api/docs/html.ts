/** HTML whose texts are escaped. */
export type Html = { readonly html: string };

/**
 * A template whose values are text unless they are {@link Html} themselves. Attack: markup in whatever a description is made of;
 * nothing gets into a page unescaped by being forgotten.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return { html: parts.reduce((whole, part, i) => whole + textOf(values[i - 1]) + part) };
}

export type HtmlValue = string | number | Html | undefined | readonly Html[];

function textOf(value: HtmlValue): string {
  if (value === undefined) return "";
  if (typeof value === "string" || typeof value === "number") return escapeHtml(String(value));
  return "html" in value ? value.html : value.map((one) => one.html).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}

/** Text in which what stands between backticks is code, and paragraphs are divided by blank lines. */
export function prose(text: string): Html[] {
  return text.split("\n\n").map((paragraph) => html`<p>${inline(paragraph)}</p>`);
}

/** The same within a line. */
export function inline(text: string): Html[] {
  return text
    .split("`")
    .map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`));
}
