/** A Lua script; it touches the keys of one partition alone. */
export type Script = {
  readonly name: string;
  readonly lua: string;
  /** How many it takes, when that is fixed. */
  readonly keys?: number;
};
