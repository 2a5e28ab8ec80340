import { type Call, withKey } from "../calling/call.ts";
import { AldisError } from "../errors.ts";
import type { ErrorBody } from "../openapi.ts";
import type { Answer, Body } from "../operations.ts";
import { type CallOptions, split } from "../options.ts";
import { payloadOf } from "./payload.ts";
import { type Command, inPieces } from "./pieces.ts";

type PublishFields = Omit<Body<"postPublish">, "channel" | "data" | "base64">;

/** Of a publish: what the message says beside its payload, and options of the call. */
export type PublishOptions = PublishFields & CallOptions;

/** One of several messages; bytes (`Uint8Array`) as `data` go as they are. */
export type Message = PublishFields & { readonly channel: string; readonly data: unknown };

type Published = Answer<"postPublish">;
/** In a list of results: one that was refused. */
export type Refused = { readonly error: ErrorBody };
type BatchResult = Answer<"postBatch">["results"][number];

export function createPublishing(call: Call) {
  async function batch(
    commands: readonly Command[],
    options: CallOptions = {},
  ): Promise<BatchResult[]> {
    const keyed = await Promise.all(commands.map(keyedCommand));
    const results: BatchResult[] = [];
    for (const piece of inPieces(keyed)) {
      const request = { body: { commands: piece }, repeatable: piece.every(isRepeatable) };
      const answer = await call("postBatch", request, options).catch((error: unknown) => {
        throw results.length === 0 ? error : afterSome(error, results);
      });
      results.push(...answer.results);
    }
    return results;
  }

  return {
    /**
     * Publishes to a channel. Bytes (`Uint8Array`) as `data` go as they are, everything else as JSON. Without an `idempotencyKey` it gets
     * one, so that it is published once however often it has to be sent.
     */
    publish(channel: string, data: unknown, given: PublishOptions = {}): Promise<Published> {
      const { fields, options } = split(given);
      return call("postPublish", { body: { ...fields, channel, ...payloadOf(data) } }, options);
    },

    /**
     * Several messages in order, up to a hundred in a request. One result for each: where it is, or `error`, why not. When a request
     * fails, the error's `done` has the results of those before; with `idempotencyKey`s of yours all may be given again.
     */
    async publishMany(
      messages: readonly Message[],
      options: CallOptions = {},
    ): Promise<(Published | Refused)[]> {
      const commands = messages.map(({ data, ...fields }) => ({
        publish: { ...fields, ...payloadOf(data) },
      }));
      return (await batch(commands, options)) as (Published | Refused)[];
    },

    /** The same message to up to a hundred channels. One result for each, in order. */
    broadcast(
      channels: readonly string[],
      data: unknown,
      given: PublishOptions = {},
    ): Promise<Answer<"postBroadcast">> {
      const { fields, options } = split(given);
      const body = { ...fields, channels: [...channels], ...payloadOf(data) };
      return call("postBroadcast", { body }, options);
    },

    /**
     * Commands in order, up to a hundred in a request; one that is refused (`error` in its result) does not stop those after it. Publishes get
     * idempotency keys; a request with a `send` or `disconnect` is not sent again when its answer is lost. `done` of an error is as in
     * `publishMany`.
     */
    batch,
  };
}

function afterSome(error: unknown, done: readonly BatchResult[]): unknown {
  if (!(error instanceof AldisError)) return error;
  return new AldisError(error.code, error.message, { ...error, cause: error.cause, done });
}

async function keyedCommand(command: Command): Promise<Command> {
  if ("publish" in command) return { publish: await withKey(command.publish) };
  if ("broadcast" in command) return { broadcast: await withKey(command.broadcast) };
  return command;
}

function isRepeatable(command: Command): boolean {
  return !("send" in command) && !("disconnect" in command);
}
