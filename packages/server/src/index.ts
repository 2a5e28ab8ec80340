export { hashOfKey } from "./auth/api-keys.ts";
export { type AuthConfig, hasAuthentication } from "./auth/auth-config.ts";
export { SCOPES } from "./auth/scopes.ts";
export { configReference } from "./config/describe.ts";
export { fileProblems } from "./config/file-problems.ts";
export {
  type ConfigOutcome,
  type ConfigProblem,
  type ConfigSources,
  type ConfigValue,
  explainConfig,
  loadConfig,
} from "./config/load.ts";
export type { NamespaceInput, NamespaceOptions } from "./config/namespace-schema.ts";
export { type Config, type ConfigInput, configSchema } from "./config/schema.ts";
export { configWarnings } from "./config/warnings.ts";
export { problemOfPlugins } from "./gateway/plugin-part.ts";
export { type Gateway, type GatewayOptions, startGateway } from "./gateway.ts";
export { JOB_QUEUES, type JobQueue } from "./jobs/jobs.ts";
export type { RequestTarget } from "./listen/request-target.ts";
export { configurePlugin, type PluginEntry } from "./plugins/host/collect.ts";
export { PluginUnfit } from "./plugins/host/plugin-unfit.ts";
export { createRandomIds, type RandomIds } from "./random/random.ts";
export { QUOTA_NAMES, type Quotas } from "./tenant/tenants.ts";
export { type Clock, systemClock, type Timer } from "./time/clock.ts";
