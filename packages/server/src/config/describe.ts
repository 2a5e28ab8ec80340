import { type ConfigField, configFields, kindOf } from "./fields.ts";
import { configSchema } from "./schema.ts";

/** docs/reference/config.md: every setting, out of the schema. */
export function configReference(): string {
  const fields = configFields(configSchema);
  const sections = Map.groupBy(fields, ({ path }) => path[0] ?? "");
  const parts = [HEAD];
  for (const [section, own] of sections) {
    parts.push(`## ${section}`, ...own.map(fieldText));
  }
  return `${parts.join("\n\n")}\n`;
}

const HEAD = `# Configuration

<!-- Made by \`aldis config docs\` out of the schema; a test compares the two. Change the schema, not this page. -->

Settings come from the defaults, then from a file (\`--config\` or \`ALDIS_CONFIG\`: JSON, JSONC, YAML or TOML), then from the environment, then from options of the command line; what comes later counts. Objects are put together setting by setting, lists are replaced.

\`aldis config check\` tells everything that is wrong at once, and \`aldis config show\` what is in force and where each value comes from. Unknown settings and unknown variables that start with \`ALDIS_\` are errors.

In the environment lists may be written with commas, objects as JSON. Durations are in milliseconds, sizes in bytes. \`<name>\` stands for any name, \`<n>\` for any place in a list.`;

function fieldText(field: ConfigField): string {
  const { path, environment, secret, unit } = field;
  const facts = [
    ...(field.branch === undefined ? [] : [`for \`${field.branch}\` alone`]),
    kindOf(field.schema),
    ...(unit === undefined ? [] : [unit]),
    defaultText(field),
    ...environment.map((name) => `\`${name}\``),
    ...(secret ? ["secret: never shown"] : []),
  ];
  return `### \`${path.join(".")}\`\n\n${field.doc}.\n\n${facts.join(" · ")}`;
}

function defaultText({ defaultValue }: ConfigField): string {
  return defaultValue === undefined ? "no default" : `default \`${JSON.stringify(defaultValue)}\``;
}
