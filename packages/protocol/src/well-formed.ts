/**
 * JSON text without lone surrogates: half of a pair, which JSON can escape and UTF-8 cannot hold, becomes U+FFFD (docs/protocol.md
 * MP5). `json` is text that `JSON.stringify` made: it escapes lone surrogates, and leaves pairs as they are.
 */
export function wellFormedJson(json: string): string {
  if (!json.includes("\\ud")) return json;
  // An escaped backslash before `ud800` is text.
  return json.replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/g, (found) =>
    found === "\\\\" ? found : "\ufffd",
  );
}
