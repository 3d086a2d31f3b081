/** A page that needs nothing else: no network, no script; readable on a phone, in light and dark. */

export const escapeHtml = (s: string) =>
  s.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

export const card = (title: string, body: string, wide = false) =>
  `<section${wide ? ' class="wide"' : ''}><h2>${title}</h2>${body}</section>`;
export const figure = (value: string, label: string) =>
  `<div class="figure"><b>${value}</b><span>${label}</span></div>`;
export const table = (rows: readonly (readonly string[])[]) =>
  `<table>${rows.map(([head, ...cells]) => `<tr><th>${head}</th>${cells.map((c) => `<td>${c}</td>`).join('')}</tr>`).join('')}</table>`;

const style = `
:root { color-scheme: light dark; --line: #8883; --soft: #8881; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1160px; padding: 40px 20px 80px; font: 16px/1.5 system-ui, sans-serif;
  color: light-dark(#1b1d2a, #e9eaf2); background: light-dark(#fff, #14151c); }
h1 { font-size: 32px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.02em; }
h2 { font-size: 17px; margin: 0 0 12px; }
p { margin: 0 0 12px; }
.lead { opacity: 0.75; margin-bottom: 28px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-bottom: 20px; }
.figure { background: var(--soft); border-radius: 12px; padding: 14px 16px; }
.figure b { display: block; font-size: 26px; letter-spacing: -0.02em; }
.figure span { font-size: 13px; opacity: 0.7; }
main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 20px; }
section { border: 1px solid var(--line); border-radius: 14px; padding: 20px; min-width: 0; }
section.wide { grid-column: 1 / -1; }
section svg { display: block; width: 100%; height: auto; max-height: 460px; margin: 0 auto 8px; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 24px; }
.columns { align-items: center; }
.after { margin-top: 16px; }
.note { font-size: 14px; opacity: 0.75; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: right; padding: 6px 4px; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; }
@media (max-width: 760px) { main { grid-template-columns: 1fr; } h1 { font-size: 26px; } body { padding-top: 24px; } }
`;

export interface PageParts {
  readonly title: string;
  readonly heading: string;
  /** HTML. */
  readonly lead: string;
  /** CSS besides what every page has. */
  readonly style?: string;
  readonly figures: readonly string[];
  readonly sections: readonly string[];
}

export const pageOf = ({
  title,
  heading,
  lead,
  style: more = '',
  figures,
  sections,
}: PageParts): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}${more}</style>
<h1>${escapeHtml(heading)}</h1>
<p class="lead">${lead}</p>
<div class="figures">${figures.join('')}</div>
<main>${sections.join('\n')}</main>
</html>
`;
