// Words that nobody wants to read become stars, in every channel and whoever publishes; and users may ask which these are.
import { action, definePlugin, refusal, z } from "@aldis/server/plugin";

export default definePlugin({
  name: "polite",
  config: z.object({ words: z.array(z.string().min(1)), strict: z.boolean().default(false) }),
  setup: ({ config: { words, strict }, count }) => ({
    hooks: {
      publishing({ data }) {
        const text = JSON.stringify(data);
        const rude = words.filter((word) => text.includes(word));
        if (rude.length === 0) return undefined;
        count("rude");
        if (strict) throw refusal("forbidden", "mind your language");
        const stars = (all: string, word: string) => all.replaceAll(word, "*".repeat(word.length));
        return { data: JSON.parse(rude.reduce(stars, text)) };
      },
    },
    actions: { polite_words: action({ input: z.object({}), run: () => ({ words }) }) },
  }),
});
