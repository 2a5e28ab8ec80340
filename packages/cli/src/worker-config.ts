import {
  type Config,
  type ConfigProblem,
  type ConfigSources,
  fileProblems,
  loadConfig,
} from "@aldis/server";
import { problemsFailure } from "./config-sources.ts";

const ALONE =
  "a worker and its gateways have one store: name it (postgres://…, mongodb://…, or sqlite: and an absolute path on one machine)";
const RELATIVE =
  "a worker and its gateways have one file: give an absolute path, as they may run in different folders";
const NO_QUEUES = "a worker works at least one queue: --queues webhooks,push,history";

/** What a worker runs with. It judges no tokens, so it needs no authentication. Throws with everything that is wrong at once (P7). */
export function workerConfig(
  sources: ConfigSources,
  queues: Config["jobs"]["queues"] | undefined,
): Config {
  const loaded = loadConfig(sources);
  if (!loaded.ok) throw problemsFailure(loaded.problems);
  const { config } = loaded;
  const worked = { ...config, jobs: { ...config.jobs, queues: queues ?? config.jobs.queues } };
  const problems = [...fileProblems(config), ...problemsOf(worked)];
  if (problems.length > 0) throw problemsFailure(problems);
  return worked;
}

/** What it has to share with the gateways whose work it does. */
function problemsOf({ store: { url }, jobs }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (url === undefined || url === "none") problems.push({ path: "store.url", message: ALONE });
  else if (/^sqlite:(?!\/)/.test(url)) problems.push({ path: "store.url", message: RELATIVE });
  if (jobs.queues.length === 0) problems.push({ path: "jobs.queues", message: NO_QUEUES });
  return problems;
}
