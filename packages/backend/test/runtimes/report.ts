/** What a runtime is told to check with. All of it goes over as JSON. */
export type Given = {
  readonly url: string;
  readonly apiKey: string;
  readonly jwtSecret: string;
  /** Before the gateway; does what `control` was asked to. */
  readonly shakyUrl: string;
  /** `POST {control}/drop/2`: the next two answers are lost; `/swallow/1`, `/silent/1`, `/stalled/1`, `/html/1`, `/redirect/1`, `/busy/1`. */
  readonly controlUrl: string;
  /** Nobody listens there. */
  readonly deadUrl: string;
  /** Whether the runtime tells that no connection came about. */
  readonly tellsUnsent: boolean;
  /** Requests signed by another library. */
  readonly signed: {
    readonly secret: string;
    readonly otherSecret: string;
    readonly body: string;
    readonly now: Readonly<Record<string, string>>;
    readonly old: Readonly<Record<string, string>>;
  };
};

export type Mismatch = { readonly what: string; readonly got: unknown; readonly wanted: unknown };

export type Report = {
  /** Notes it when the two are not the same JSON. */
  same(what: string, got: unknown, wanted: unknown): void;
};

export function createReport(area: string, problems: Mismatch[]): Report {
  return {
    same(what, got, wanted) {
      if (JSON.stringify(got) === JSON.stringify(wanted)) return;
      problems.push({ what: `${area}: ${what}`, got, wanted });
    },
  };
}
