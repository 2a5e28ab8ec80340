/** The page's only style; its hash stands in the page's Content-Security-Policy. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#fbfaf7, #14161a);
  --raised: light-dark(#ffffff, #1b1e24);
  --sunken: light-dark(#f2f0ea, #101216);
  --line: light-dark(#e2dfd6, #2c3038);
  --text: light-dark(#22242a, #e4e6ea);
  --quiet: light-dark(#63656d, #9aa0ab);
  --lamp: light-dark(#9a5b00, #ffb84d);
  --get: light-dark(#1d6b46, #63d39b);
  --post: light-dark(#1f57a8, #82b4ff);
  --put: light-dark(#8a5a00, #f0bd5c);
  --delete: light-dark(#a8302f, #ff8f8a);
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, monospace;
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1.5rem; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
a { color: inherit; }
:focus-visible { outline: 2px solid var(--lamp); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; background: var(--raised); padding: .5rem 1rem; z-index: 1; }
.frame { display: grid; grid-template-columns: 19rem minmax(0, 1fr); max-width: 88rem; margin: 0 auto; }
nav {
  position: sticky; top: 0; align-self: start; height: 100vh; overflow-y: auto;
  padding: 1.75rem 1.25rem 3rem; border-right: 1px solid var(--line); font-size: .875rem;
}
nav strong { display: block; font-size: 1.25rem; letter-spacing: -.01em; }
nav strong::before { content: ""; display: inline-block; width: .6rem; height: .6rem; margin-right: .5rem; border-radius: 50%; background: var(--lamp); box-shadow: 0 0 .8rem var(--lamp); }
nav .version { color: var(--quiet); margin: .1rem 0 1.25rem; }
nav h2 { font-size: .75rem; color: var(--quiet); margin: 1.25rem 0 .25rem; font-weight: 600; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: flex; gap: .5rem; align-items: baseline; padding: .2rem .4rem; margin-left: -.4rem; border-radius: 4px; text-decoration: none; }
nav a:hover { background: var(--sunken); }
nav .method { width: 3.2rem; flex: none; }
main { padding: 2.25rem 3rem 6rem; min-width: 0; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -.02em; margin: 0 0 .75rem; }
main > section > h2 { font-size: 1.4rem; letter-spacing: -.01em; margin: 3.5rem 0 .25rem; }
.lead { color: var(--quiet); margin: 0 0 1.25rem; }
p { margin: 0 0 .75rem; max-width: 46rem; }
code, pre { font-family: var(--mono); font-size: .86em; }
p code, td code { background: var(--sunken); padding: .1em .3em; border-radius: 3px; overflow-wrap: anywhere; }
pre {
  margin: 0; padding: .9rem 1rem; overflow-x: auto; background: var(--sunken);
  border: 1px solid var(--line); border-radius: 6px; line-height: 1.5; tab-size: 2;
}
article { border: 1px solid var(--line); border-radius: 8px; background: var(--raised); margin: 1.25rem 0; padding: 1.35rem 1.5rem 1.5rem; }
article h3 { margin: 0 0 .35rem; font-size: 1.1rem; }
article h3 a { text-decoration: none; }
article h3 a:hover { text-decoration: underline; text-decoration-color: var(--lamp); }
pre + p, pre + .lead { margin-top: .9rem; }
.path { max-width: none; display: flex; gap: .75rem; align-items: baseline; margin: 0 0 .9rem; flex-wrap: wrap; }
.path code { font-size: .95rem; overflow-wrap: anywhere; }
.path .access { margin-left: auto; color: var(--quiet); font-size: .8125rem; }
.method { font: 600 .75rem var(--mono); }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); } .delete { color: var(--delete); }
.sides { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1.5rem; margin-top: 1rem; }
h4 { font-size: .8125rem; color: var(--quiet); font-weight: 600; margin: 1.1rem 0 .4rem; }
.sides > div > h4:first-child { margin-top: 0; }
dl { margin: 0; font-size: .9rem; }
dt { padding-top: .5rem; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
dt:first-child { border-top: 0; padding-top: 0; }
dt span { color: var(--quiet); font-size: .8125rem; margin-left: .4rem; }
dt .must { color: var(--lamp); }
dd { margin: .1rem 0 .5rem; color: var(--quiet); }
table { border-collapse: collapse; font-size: .9rem; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-top: 1px solid var(--line); }
th { font-weight: 600; color: var(--quiet); font-size: .8125rem; border-top: 0; }
td:first-child { white-space: nowrap; }
@media (max-width: 76rem) { .sides { grid-template-columns: minmax(0, 1fr); gap: .5rem; } }
@media (max-width: 56rem) {
  td:first-child { white-space: normal; overflow-wrap: anywhere; }
  .frame { display: block; }
  nav { position: static; height: auto; max-height: 40vh; border-right: 0; border-bottom: 1px solid var(--line); padding-bottom: 1.25rem; }
  main { padding: 1.5rem 1.1rem 4rem; }
  article { padding: 1.1rem; }
  .path .access { margin-left: 0; width: 100%; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media print { nav { display: none; } .frame { display: block; } article { break-inside: avoid; } }
`;
