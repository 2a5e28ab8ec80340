import { Unavailable } from "./unavailable.ts";

/** The broker cannot be reached, or did not answer in time. */
export class BrokerUnavailable extends Unavailable {
  override readonly name = "BrokerUnavailable";
}
