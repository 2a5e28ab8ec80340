/** HT3. `waitsFor` names what keeps this node from being ready; anything but a plain answer would be guesswork for a load balancer. */
export function healthResponse(
  pathname: string,
  waitsFor: readonly string[],
): Response | undefined {
  if (pathname === "/health/live") return Response.json({ status: "live" });
  if (pathname !== "/health/ready") return undefined;
  return waitsFor.length === 0
    ? Response.json({ status: "ready" })
    : Response.json({ status: "not ready", waitsFor }, { status: 503 });
}
