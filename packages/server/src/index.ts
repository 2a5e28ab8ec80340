export { hashOfKey } from "./auth/api-keys.ts";
export { type AuthConfig, hasAuthentication } from "./auth/auth-config.ts";
export {
  type ConfigOutcome,
  type ConfigProblem,
  type ConfigSources,
  loadConfig,
} from "./config/load.ts";
export type { NamespaceInput, NamespaceOptions } from "./config/namespace-schema.ts";
export { type Config, type ConfigInput, configSchema } from "./config/schema.ts";
export { type Gateway, type GatewayOptions, startGateway } from "./gateway.ts";
export type { RequestTarget } from "./listen/request-target.ts";
export { createRandomIds, type RandomIds } from "./random/random.ts";
export { type Clock, systemClock, type Timer } from "./time/clock.ts";
