#include "report/style.h"

namespace vernier {

// Colours of text and its ground differ by at least 4.5 : 1 (WCAG 2.1 AA) in both schemes.
const std::string_view kReportStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --panel: #f6f8fa;
  --good: #1a7f37; --bad: #c4221b; --unsure: #8a5a00; --plain: #0b5cad;
  --s0: #0b5cad; --s1: #c2410c; --s2: #1a7f37; --s3: #7c3aed; --s4: #6b7280;
  --ins: #dafbe1; --del: #ffe3e0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f1318; --ink: #e6e9ed; --soft: #9aa4b0; --line: #2b333d; --panel: #171d24;
    --good: #57d27c; --bad: #ff7b72; --unsure: #e3b341; --plain: #6cb6ff;
    --s0: #6cb6ff; --s1: #ff9d5c; --s2: #57d27c; --s3: #c297ff; --s4: #9aa4b0;
    --ins: #12361f; --del: #47201d;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
}
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-top: .75rem;
     border-top: 1px solid var(--line); overflow-wrap: anywhere; }
h2 .remark { font-size: .85rem; font-weight: 600; margin-left: .5rem; color: var(--soft); }
p { margin: .5rem 0; }
p, li, figcaption { overflow-wrap: anywhere; }
a { color: var(--plain); }
.verdict { border: 1px solid var(--line); border-left: .5rem solid var(--tone);
           background: var(--panel); padding: 1rem 1.25rem; border-radius: .4rem; }
.verdict .word { color: var(--tone); font-size: 1.5rem; font-weight: 700; letter-spacing: .02em; }
.verdict ul { margin: .5rem 0 0; padding-left: 1.25rem; }
.good { --tone: var(--good); } .bad { --tone: var(--bad); }
.unsure { --tone: var(--unsure); } .plain { --tone: var(--plain); }
h2 .good, h2 .bad, h2 .unsure, td.good, td.bad, td.unsure { color: var(--tone); }
td.good, td.bad, td.unsure { font-weight: 600; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr));
           gap: .75rem; margin: 1rem 0; }
.figures div { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; }
.figures dt { color: var(--soft); font-size: .8rem; }
.figures dd { margin: 0; }
.figures .value { font-size: 1.3rem; font-weight: 650; overflow-wrap: anywhere; }
.figures .good .value, .figures .bad .value, .figures .unsure .value { color: var(--tone); }
.figures .note { color: var(--soft); font-size: .8rem; overflow-wrap: anywhere; }
nav { font-size: .9rem; margin: 1rem 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .875rem; width: 100%; }
.caption { color: var(--soft); font-size: .85rem; margin: 1rem 0 -.4rem; }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line);
         vertical-align: top; }
th { font-weight: 600; color: var(--soft); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td { overflow-wrap: break-word; }
td:first-child { min-width: 9rem; }
figure { margin: 1.25rem 0; }
figure .scroll svg { min-width: 30rem; }
figcaption { color: var(--soft); font-size: .85rem; }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, "DejaVu Sans", sans-serif; }
svg text { fill: var(--ink); }
svg .tick, svg .label, svg .rule-text { fill: var(--soft); }
svg .title { font-weight: 600; font-size: 13px; }
svg .grid { stroke: var(--line); } svg .axis { stroke: var(--soft); }
svg .rule { stroke: var(--bad); stroke-dasharray: 5 4; }
svg path { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
svg circle, svg g rect { stroke: none; }
svg .interval { stroke-width: 2; opacity: .55; } svg rect + .interval { stroke: var(--ink); }
.s0 path, .s0 .interval { stroke: var(--s0); } .s0 circle, .s0 rect, .k0 { fill: var(--s0); }
.s1 path, .s1 .interval { stroke: var(--s1); } .s1 circle, .s1 rect, .k1 { fill: var(--s1); }
.s2 path, .s2 .interval { stroke: var(--s2); } .s2 circle, .s2 rect, .k2 { fill: var(--s2); }
.s3 path, .s3 .interval { stroke: var(--s3); } .s3 circle, .s3 rect, .k3 { fill: var(--s3); }
.s4 path, .s4 .interval { stroke: var(--s4); } .s4 circle, .s4 rect, .k4 { fill: var(--s4); }
.pair { border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; margin: .75rem 0; }
.pair .name { font-weight: 600; font-size: .9rem; overflow-wrap: anywhere; }
.pair .remark { color: var(--soft); font-size: .85rem; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: 1rem; }
.gallery figure { margin: 0; } .gallery p { font-weight: 600; white-space: pre-wrap; }
.gallery img { max-width: 100%; max-height: 18rem; border: 1px solid var(--line); }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: .75rem; }
.sides h3 { font-size: .8rem; color: var(--soft); margin: .25rem 0; }
.sides p { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
ins { background: var(--ins); text-decoration: none; } del { background: var(--del); }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; margin: .25rem 0 .75rem;
      padding: .6rem .8rem; overflow-x: auto; font: .82rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
footer { color: var(--soft); font-size: .8rem; margin-top: 3rem; overflow-wrap: anywhere; }
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --panel: #fff;
          --good: #1a7f37; --bad: #c4221b; --unsure: #8a5a00; --plain: #0b5cad;
          --s0: #0b5cad; --s1: #c2410c; --s2: #1a7f37; --s3: #7c3aed; --s4: #6b7280;
          --ins: #dafbe1; --del: #ffe3e0; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; } nav { display: none; }
  figure, .pair, .verdict, tr { break-inside: avoid; } h2 { break-after: avoid; }
  pre { white-space: pre-wrap; } .scroll { overflow: visible; }
  figure .scroll svg { min-width: 0; }
}
)css";

}  // namespace vernier
