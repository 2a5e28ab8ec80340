// Options of namespaces, each kept once however many tenants have the same: a thousand tenants with a hundred namespaces mostly do.
import type { NamespaceOptions } from "../config/namespace-schema.ts";
import { perSecond, type Rate } from "../limits/rate.ts";
import { type AllowRules, compileAllowRules } from "./allow-rules.ts";

/** The options of a namespace as the hot path reads them. Immutable: a change makes a new one. */
export type Namespace = {
  readonly name: string;
  readonly options: NamespaceOptions;
  /** How fast each of its channels may be published to; undefined: no limit. */
  readonly rate: Rate | undefined;
  readonly allow: {
    readonly subscribe: AllowRules;
    readonly publish: AllowRules;
    readonly history: AllowRules;
    readonly presence: AllowRules;
  };
};

/** The same options of many namespaces. */
export class CommonOptions {
  readonly text: string;
  readonly options: NamespaceOptions;
  /** How many namespaces have them. */
  uses = 0;
  #compiled: Pick<Namespace, "rate" | "allow"> | undefined;

  constructor(text: string, options: NamespaceOptions) {
    this.text = text;
    this.options = options;
  }

  namespace(name: string): Namespace {
    this.#compiled ??= compile(this.options);
    const { rate, allow } = this.#compiled;
    return Object.freeze({ name, options: this.options, rate, allow });
  }
}

/** All that are in use, by what they say. */
export class OptionPool {
  readonly #byText = new Map<string, CommonOptions>();

  take(options: NamespaceOptions): CommonOptions {
    const text = JSON.stringify(options);
    let common = this.#byText.get(text);
    if (common === undefined) {
      common = new CommonOptions(text, options);
      this.#byText.set(text, common);
    }
    common.uses++;
    return common;
  }

  /** Whether what was taken says the same. */
  holds(taken: Namespace | CommonOptions, options: NamespaceOptions): boolean {
    return this.#byText.get(JSON.stringify(options))?.options === taken.options;
  }

  /** What nobody has any more is forgotten. */
  release({ options }: Namespace | CommonOptions): void {
    const text = JSON.stringify(options);
    const common = this.#byText.get(text);
    if (common !== undefined && --common.uses === 0) this.#byText.delete(text);
  }
}

function compile(options: NamespaceOptions): Pick<Namespace, "rate" | "allow"> {
  const { subscribe, publish, history, presence } = options.allow;
  return {
    rate: perSecond(options.rate.publishesPerSecond, options.rate.burst),
    allow: {
      subscribe: compileAllowRules(subscribe),
      publish: compileAllowRules(publish),
      history: compileAllowRules(history),
      presence: compileAllowRules(presence),
    },
  };
}
