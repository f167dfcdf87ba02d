/** The style sheet of the report: readable at any width, in both colour schemes and on paper. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--paper:#fff;--tint:#f6f8fa;--warn:#9a6700;--good:#116329;--bad:#a40e26;--link:#0550ae}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#30363d;--paper:#0d1117;--tint:#161b22;--warn:#d29922;--good:#56d364;--bad:#ff7b72;--link:#79c0ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:60rem;margin:0 auto;padding:2rem 1rem 4rem}
a{color:var(--link)}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 1rem}
h2{font-size:1.2rem;margin:2.5rem 0 .75rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3{font:600 1rem ui-monospace,monospace;margin:1.5rem 0 .25rem}
p{margin:.5rem 0}.ref,.quiet,dt{color:var(--soft)}.ref{margin:0 0 .25rem}.lead{font-size:1.1rem}
.banner{border:2px solid var(--warn);padding:.6rem 1rem}
dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.25rem 1.5rem;margin:.5rem 0}dt{max-width:20rem}dd{margin:0;grid-column:2}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.95rem}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line);overflow-wrap:break-word}
th{color:var(--soft);font-weight:600;white-space:nowrap}
time{white-space:nowrap;font-variant-numeric:tabular-nums}
.good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--warn)}
ul{padding-left:1.25rem}li{margin:.25rem 0}
.checks{list-style:none;padding:0}.checks li{display:flex;gap:.6rem}
.box{flex:none;width:1rem;height:1rem;margin-top:.3rem;border:1.5px solid var(--soft);border-radius:3px}
code{font:.9em ui-monospace,monospace}
pre{background:var(--tint);padding:.75rem 1rem;overflow-x:auto;border-radius:4px}
@media screen and (max-width:40rem){dl{display:block}dd{margin-bottom:.5rem}thead{position:absolute;left:-99rem}tr{display:flex;flex-wrap:wrap;gap:0 .75rem;padding:.4rem 0;border-bottom:1px solid var(--line)}td{border:0;padding:0}}
@media print{:root{--ink:#000;--soft:#333;--line:#999;--paper:#fff;--tint:#eee;--good:#000;--bad:#000;--warn:#000;--link:#000}body{font-size:10pt}main{max-width:none;padding:0}.skip{display:none}tr,li{break-inside:avoid}h2,h3{break-after:avoid}thead{display:table-header-group}.wide,pre{overflow:visible;white-space:pre-wrap}}
`;
