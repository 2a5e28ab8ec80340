/** Something that the gateway needs is away, or did not answer in time: told as `unavailable`, and the same may succeed later (P5). */
export class Unavailable extends Error {
  override readonly name: string = "Unavailable";
}
