"""The fixed parts of the report's page: its style and its last lines."""

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf7; --card: #ffffff;
  --ink: #1c2230; --soft: #5d6577; --line: #e4e2db; --accent: #c2410c;
  --shadow: 0 1px 2px #1c223014, 0 6px 20px #1c22300d; }
@media (prefers-color-scheme: dark) { :root { --paper: #12151c;
  --card: #1a1e28; --ink: #e9ecf3; --soft: #9aa3b7; --line: #2c3240;
  --accent: #ff9a5c; --shadow: none; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 17px/1.6 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 0 24px 72px; }
header { padding: 72px 0 28px; }
h1, h2, h3 { font-family: ui-serif, Georgia, "Times New Roman", serif;
  font-weight: 600; line-height: 1.15; text-wrap: balance; }
h1 { font-size: clamp(2.3rem, 6vw, 3.9rem); margin: .15em 0 .35em;
  letter-spacing: -.02em; }
h2 { font-size: clamp(1.6rem, 3.5vw, 2.2rem); margin: 76px 0 .3em; }
h3 { font-size: 1.3rem; margin: 36px 0 .5em; }
p { max-width: 66ch; margin: .5em 0 1em; }
.lead { font-size: 1.22rem; color: var(--soft); }
.eyebrow { color: var(--accent); font-weight: 650; font-size: .82rem;
  letter-spacing: .09em; text-transform: uppercase; margin: 0; }
b.x { color: var(--accent); font-style: italic; }
.facts { display: flex; flex-wrap: wrap; gap: 10px 36px; padding: 16px 0;
  border-block: 1px solid var(--line); margin: 28px 0; }
.facts div { font-size: .85rem; color: var(--soft); }
.facts strong { display: block; font-size: 1.3rem; color: var(--ink);
  font-weight: 600; font-variant-numeric: tabular-nums; }
.row { display: grid; gap: 10px; margin: 12px 0;
  grid-template-columns: repeat(6, 1fr); }
.row.small { grid-template-columns: repeat(10, 1fr); gap: 6px; }
.row.film { grid-template-columns: repeat(7, 1fr); }
.row.hero { grid-template-columns: repeat(4, 1fr); gap: 18px; }
.row.hero figcaption { font-size: .95rem; padding-top: 6px; }
.row img, .row figure { width: 100%; margin: 0; display: block; }
.row img { aspect-ratio: 1; border-radius: 10px; background: var(--card);
  box-shadow: var(--shadow); }
.row.small img { border-radius: 6px; }
.row figcaption { text-align: center; }
figcaption, .note { color: var(--soft); font-size: .84rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 20px; }
.card { background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; padding: 16px; margin: 12px 0; }
.card img { width: 100%; height: auto; display: block; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: 9px 18px 9px 0; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; }
thead th { color: var(--soft); font-size: .8rem; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
td small { color: var(--soft); }
tr.x th, tr.x td.number { color: var(--accent); font-weight: 650; }
code, pre { font: .86em/1.6 ui-monospace, Menlo, Consolas, monospace; }
pre { background: var(--card); border: 1px solid var(--line);
  border-radius: 12px; padding: 16px 18px; overflow-x: auto; }
footer { margin-top: 72px; padding-top: 18px;
  border-top: 1px solid var(--line); }
@media (max-width: 760px) { .row { grid-template-columns: repeat(3, 1fr); }
  .row.small { grid-template-columns: repeat(5, 1fr); }
  .row.film { grid-template-columns: repeat(4, 1fr); }
  .row.hero { grid-template-columns: repeat(2, 1fr); }
  .pair { grid-template-columns: 1fr; } header { padding-top: 40px; } }
"""

NEXT = """<pre>make lab        # the lessons, in JupyterLab
make test       # everything here, checked
python -m tutorial_lib evaluate --kind pattern --seeds 1-10 --json rows.json
</pre>
<p>The first lesson, <code>notebooks/00_start_here.ipynb</code>, loads two
learned words and draws with them at once. The last one learns a word from
a folder of your own pictures.</p>"""
