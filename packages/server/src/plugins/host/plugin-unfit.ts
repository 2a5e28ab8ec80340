/** A plugin that the gateway cannot run with: told at start, and the node does not run. The message is one line for the operator. */
export class PluginUnfit extends Error {
  override readonly name = "PluginUnfit";
}
