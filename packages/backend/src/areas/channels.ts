import type { Call } from "../calling/call.ts";
import { createListing, type Listing, type ListOptions, listBy } from "../calling/listing.ts";
import type { Answer, Query } from "../operations.ts";
import { type CallOptions, split } from "../options.ts";

export type HistoryPage = Answer<"getChannelsChannelHistory">;
export type Publication = HistoryPage["publications"][number];
type HistoryQuery = Query<"getChannelsChannelHistory">;

export function createChannels(call: Call) {
  const list = listBy(call, "getChannels", (page) => page.channels);
  const connections = listBy(call, "getConnections", (page) => page.connections);

  return {
    /** Channels that somebody is subscribed to, or that have publications; with `prefix` those whose names begin so. */
    list: (options: ListOptions<"getChannels"> = {}) => list(options),

    /** The connections that are subscribed to a channel. */
    subscribers: (channel: string, options: Omit<ListOptions<"getConnections">, "channel"> = {}) =>
      connections({ ...options, channel }),

    /** How many connections are subscribed to a channel, how many users are present, and where its history ends. */
    async occupancy(
      channel: string,
      options: CallOptions = {},
    ): Promise<Answer<"getChannels">["channels"][number]> {
      const { channels } = await list({ ...options, prefix: channel, limit: 1 }).page();
      const [first] = channels;
      // In order of names, and none is shorter than its own prefix.
      if (first?.channel === channel) return first;
      return { channel, subscribers: 0, users: 0, offset: 0, epoch: "" };
    },
  };
}

export function createReading(call: Call) {
  const present = listBy(call, "getChannelsChannelPresence", (page) => page.users);
  return {
    /**
     * What was published to a channel. `page()` is one page in order of offset; `for await` goes on from there: with `after` forwards, else
     * from the newest back to the oldest. Fails with `position_lost` when the `epoch` given is over.
     */
    history: (
      channel: string,
      given: ListOptions<"getChannelsChannelHistory"> = {},
    ): Listing<Publication, HistoryPage> => {
      const { fields, options } = split(given);
      const forwards = given.after !== undefined;
      const get = (query: HistoryQuery, how: CallOptions) =>
        call("getChannelsChannelHistory", { path: { channel }, query }, how);
      const items = ({ publications }: HistoryPage) =>
        forwards ? publications : [...publications].reverse();
      const after = ({ publications, more, epoch }: HistoryPage, query: HistoryQuery) => {
        const edge = publications.at(forwards ? -1 : 0)?.offset;
        if (!more || edge === undefined) return undefined;
        // The offsets of another epoch are other publications.
        return { ...query, epoch, ...(forwards ? { after: edge } : { before: edge }) };
      };
      return createListing({ get, items, after }, fields, options);
    },

    /** The users that are in a channel. */
    presence: (channel: string, options: ListOptions<"getChannelsChannelPresence"> = {}) =>
      present(options, { channel }),
  };
}
