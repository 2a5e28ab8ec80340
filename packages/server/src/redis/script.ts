/** A Lua script with the name that it is called by; it touches the keys of one partition alone. */
export type Script = { readonly name: string; readonly lua: string; readonly keys: number };
