/** The broker cannot be reached, or did not answer in time. */
export class BrokerUnavailable extends Error {
  override readonly name = "BrokerUnavailable";
}
