// The action `rpc`: a client calls its tenant's backend.
import {
  action,
  type Fields,
  field,
  isFields,
  type Json,
  optionalString,
  type PluginAction,
  type PluginContext,
  type PluginSession,
  refusal,
  requiredString,
} from "../plugins/index.ts";
import type { BackendCallsConfig } from "./config.ts";
import type { KnownBackends } from "./known-backends.ts";
import { type Answer, type Line, NoAnswer } from "./line.ts";
import { userOf } from "./questions.ts";

export type RpcDeps = {
  readonly known: KnownBackends;
  readonly line: Line;
  readonly rate: ReturnType<PluginContext["rate"]>;
  readonly config: Pick<BackendCallsConfig, "rpcPerUser">;
  count(event: string): void;
};

type Call = {
  readonly method: string;
  readonly data: Json | undefined;
  readonly idempotencyKey: string | undefined;
};

const METHOD_MAX = 128;
const METHOD = /^[A-Za-z][A-Za-z0-9_.:/-]*$/;
const KEY_MAX = 128;
/** It becomes a header. */
const KEY = /^[\x21-\x7e]+$/;
const CODE_MAX = 64;
const MESSAGE_MAX = 1_000;

/** BC1, BC4. */
export function rpcAction({ known, line, rate, config, count }: RpcDeps): PluginAction {
  const underWay = new Map<string, number>();
  async function call({ identity, connectionId }: PluginSession, input: Call): Promise<object> {
    const { tenant } = identity;
    const backend = await known.of(tenant);
    if (backend?.settings.rpc !== true) throw refusal("not_found", "there is no backend to call");
    const { method, data, idempotencyKey } = input;
    const about = { user: userOf(identity), connection: connectionId, method, data };
    const answer = await line.ask(tenant, backend, { type: "rpc", about, idempotencyKey });
    const told = replyIn(answer);
    if (told !== undefined) {
      count("error" in told ? "rpc_error" : "rpc_result");
      return told;
    }
    count("no_answer");
    throw new NoAnswer("the backend gave no answer");
  }
  return action({
    input: readCall,
    async run({ session, input }) {
      const { tenant, userId } = session.identity;
      const name = `${tenant}\0${userId}`;
      const waitMs = rate.waitMs(name);
      if (waitMs > 0) throw refusal("rate_limited", "too many calls of the backend", waitMs);
      const count = underWay.get(name) ?? 0;
      if (count >= config.rpcPerUser) {
        throw refusal("unavailable", "too many calls of the backend are under way");
      }
      underWay.set(name, count + 1);
      try {
        return await call(session, input);
      } finally {
        const left = (underWay.get(name) ?? 1) - 1;
        if (left === 0) underWay.delete(name);
        else underWay.set(name, left);
      }
    },
  });
}

function readCall(fields: Fields): Call {
  const method = requiredString(fields, "method", METHOD_MAX);
  if (!METHOD.test(method)) {
    throw refusal("bad_request", "`method` is letters, digits and `_.:/-`, a letter first");
  }
  const idempotencyKey = optionalString(fields, "idempotencyKey", KEY_MAX);
  if (idempotencyKey !== undefined && !KEY.test(idempotencyKey)) {
    throw refusal("bad_request", "`idempotencyKey` is printable ASCII");
  }
  return { method, data: field(fields, "data") as Json | undefined, idempotencyKey };
}

/** What the client is told: that the backend said no is an answer, too. Undefined: it said neither. */
function replyIn({ result = null, error }: Answer): object | undefined {
  if (error === undefined || error === null) return { result };
  if (!isFields(error)) return undefined;
  const { code, message = "", data } = error as Answer;
  if (typeof code !== "string" || code === "" || code.length > CODE_MAX) return undefined;
  if (typeof message !== "string") return undefined;
  const told = { code, message: message.slice(0, MESSAGE_MAX) };
  return { error: data === undefined ? told : { ...told, data } };
}
