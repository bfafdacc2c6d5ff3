// Each formula of standard input (JSON) as KaTeX sets it at its strictest: what it refuses, with its reason.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const katex = createRequire(import.meta.url)("../indexcalc/page/static/katex/katex.min.js");
const refused = [];
for (const [name, latex] of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    katex.renderToString(latex, { displayMode: true, throwOnError: true, strict: "error", trust: false });
  } catch (error) {
    refused.push([name, latex, error.message]);
  }
}
console.log(JSON.stringify(refused));
