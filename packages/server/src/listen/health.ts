/** HT3. `ready` says whether this node takes connections; anything but a plain answer would be guesswork for a load balancer. */
export function healthResponse(pathname: string, ready: boolean): Response | undefined {
  if (pathname === "/health/live") return Response.json({ status: "live" });
  if (pathname !== "/health/ready") return undefined;
  return ready
    ? Response.json({ status: "ready" })
    : Response.json({ status: "not ready" }, { status: 503 });
}
