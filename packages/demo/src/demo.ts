import { fileURLToPath } from "node:url";

type Asset = { readonly body: string; readonly type: string };

/**
 * The demo pages, bundled now and held in memory. Gives the answer to a request for it, undefined for every other
 * path. Throws when a page does not build.
 */
export async function createDemo(): Promise<
  (request: Request, pathname: string) => Response | undefined
> {
  const assets = new Map<string, Asset>([
    ["/", { body: await readPart("page/index.html"), type: "text/html" }],
    ["/demo.css", { body: await readStyles(), type: "text/css" }],
    ["/demo.svg", { body: await readPart("page/icon.svg"), type: "image/svg+xml" }],
    ["/demo.js", { body: await bundle("page"), type: "text/javascript" }],
    ["/rooms", { body: await readPart("rooms/rooms.html"), type: "text/html" }],
    ["/rooms.js", { body: await bundle("rooms"), type: "text/javascript" }],
  ]);
  return (request, pathname) => {
    const asset = assets.get(pathname);
    if (asset === undefined) return undefined;
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    }
    return new Response(asset.body, {
      headers: { ...HEADERS, "content-type": `${asset.type}; charset=utf-8` },
    });
  };
}

/**
 * Attack: script injection through what others write. The page only ever sets text; should it fail to one day, no
 * inline script runs, no foreign one loads, and no string becomes markup (trusted types). Nobody may frame it.
 * The two hosts stand beside `'self'` for browsers that do not count WebSockets among it.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' ws://localhost:* ws://127.0.0.1:*",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  // The next start may serve another build.
  "cache-control": "no-cache",
};

function partPath(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url));
}

function readPart(name: string): Promise<string> {
  return Bun.file(partPath(name)).text();
}

const STYLES = [
  ...["page/base.css", "page/chat.css", "page/side.css", "rooms/rooms.css"],
  "page/narrow.css",
];

async function readStyles(): Promise<string> {
  return (await Promise.all(STYLES.map(readPart))).join("\n");
}

async function bundle(page: "page" | "rooms"): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [partPath(`${page}/main.ts`)],
    target: "browser",
    minify: true,
  });
  const [script] = outputs;
  if (script === undefined) throw new Error("a demo page gave no script");
  return script.text();
}
