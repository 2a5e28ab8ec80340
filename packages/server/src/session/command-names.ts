import { type Command, field } from "@aldis/protocol";

/** The channel that a command is about; features name theirs in the same field. */
export function channelNamed(command: Command): string | undefined {
  if ("channel" in command) return command.channel;
  if (command.action !== "extension") return undefined;
  const channel = field(command.data, "channel");
  return typeof channel === "string" ? channel : undefined;
}

export function actionOf(command: Command): string {
  if (command.action === "extension") return command.name;
  return command.action === "ping" ? "pong" : command.action;
}
