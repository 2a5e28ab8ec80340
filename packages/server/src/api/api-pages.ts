import { PAGE_HEADERS, renderDocsPage } from "./docs/docs-page.ts";
import type { OpenApiDocument } from "./openapi.ts";

/**
 * `/openapi.json` and `/docs`, each made once, when it is first asked for: they hold nothing secret and are the same for everyone.
 */
export function createApiPages(
  createDocument: () => OpenApiDocument,
): (pathname: string) => Response | undefined {
  let document: OpenApiDocument | undefined;
  let json: string | undefined;
  let page: string | undefined;
  return (pathname) => {
    if (pathname === "/openapi.json") {
      document ??= createDocument();
      json ??= JSON.stringify(document);
      return new Response(json, { headers: { "content-type": "application/json" } });
    }
    if (pathname !== "/docs") return undefined;
    document ??= createDocument();
    page ??= renderDocsPage(document);
    return new Response(page, { headers: PAGE_HEADERS });
  };
}
