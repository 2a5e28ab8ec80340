import type { OpenApiDocument } from "./openapi.ts";

/**
 * `/openapi.json`, made once, when it is first asked for: it holds nothing secret and is the same for everyone.
 */
export function createApiPages(
  createDocument: () => OpenApiDocument,
): (pathname: string) => Response | undefined {
  let documentJson: string | undefined;
  return (pathname) => {
    if (pathname !== "/openapi.json") return undefined;
    documentJson ??= JSON.stringify(createDocument());
    return new Response(documentJson, { headers: { "content-type": "application/json" } });
  };
}
