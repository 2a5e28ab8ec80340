/** Trees of settings as they come from files and variables. */

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Objects are merged by key, everything else is replaced; what is undefined (a flag that was not given) says nothing. A null prototype keeps `__proto__` in a file an ordinary key. */
export function merge(base: unknown, over: unknown): unknown {
  if (!isPlainObject(base) || !isPlainObject(over)) return over;
  const result: Record<string, unknown> = Object.assign(Object.create(null), base);
  for (const key of Object.keys(over)) {
    if (over[key] === undefined) continue;
    result[key] = key in result ? merge(result[key], over[key]) : over[key];
  }
  return { ...result };
}

export function setAt(
  tree: Record<string, unknown>,
  path: readonly string[],
  value: unknown,
): void {
  let node = tree;
  for (const step of path.slice(0, -1)) {
    const child = node[step];
    const next = isPlainObject(child) ? child : {};
    node[step] = next;
    node = next;
  }
  const last = path.at(-1);
  if (last !== undefined) node[last] = value;
}

/** What stands at `path`; undefined: nothing. A list or a plain value on the way stands for all below it. */
export function valueAt(tree: unknown, path: readonly string[]): unknown {
  let node = tree;
  for (const step of path) {
    if (!isPlainObject(node)) return node;
    node = Object.hasOwn(node, step) ? node[step] : undefined;
  }
  return node;
}
