// The page: asks the server on this machine, and shows what it answers. No text becomes code, nor HTML.
import { EMPTY, decode, encode } from "./link.js";

const $ = (id) => document.getElementById(id);
const TABS = ["layouts", "steps", "source", "picture", "check", "numbers"];
const PAIR = ["numerator", "denominator"]; // what people compare: rows of the value, or rows of the variable
const FIELDS = ["formula", "by", "vectors", "syntax", "structure", "batch"];
const LONGEST = 20000; // characters of LaTeX that are set: a longer formula nobody reads, and it takes seconds
const KINDS = { number: "", vector: "n", matrix: "n m", "3 axes": "n m p", "4 axes": "n m p q", function: "n ->" };
const EXAMPLES = [
  ["a linear layer with a loss", { formula: "Y = X@W + B", by: "dL/dW" }],
  ["a linear layer in indices", { formula: "x_i W_ij + b_j", by: "W_kl" }],
  ["a softmax layer", { formula: "softmax(x W + b)", by: "W" }],
  ["least squares", { formula: "‖X w − y‖² + λ‖w‖²", by: "w" }],
  ["a quadratic form, columns", { formula: "x'A x", by: "x", vectors: "column" }],
  ["its Hessian", { formula: "x'A x", by: "x, x", vectors: "column" }],
  ["log det of a symmetric matrix", { formula: "log det(S)", by: "S", declared: [{ name: "S", dims: "n n", assume: ["symmetric"], gradient: "" }] }],
  ["in LaTeX", { formula: String.raw`\frac{1}{2} \lVert A x - b \rVert_2^2`, by: "x" }],
  ["in MATLAB", { formula: "sum(log(1 + exp(-y.*(X*w))))", by: "w", syntax: "matlab" }],
];

let state = { ...EMPTY };
let answer = null; // what was last derived
let asked = 0; // questions so far: an answer that comes late is left
let choices = { assumptions: [], targets: ["numpy"] };

// ---------------------------------------------------------------- parts

/** An element with attributes, listeners (`onclick`) and children. */
function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A formula, set by KaTeX, with MathML for those who hear it; where it can't be set, its text. */
function math(latex, text, display = true) {
  const made = h("div", { class: "formula" });
  if (latex && latex.length <= LONGEST) {
    window.katex.render(latex, made, { displayMode: display, throwOnError: false, strict: "ignore", trust: false });
  } else made.append(h("code", {}, text));
  requestAnimationFrame(() => {
    if (made.scrollWidth > made.clientWidth) for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", "formula"]]) made.setAttribute(name, value);
  });
  return made;
}

function list(rows) {
  const held = rows.filter(([, value]) => value && (value.length ?? 1));
  return h("dl", {}, ...held.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function radios(name, values, chosen, choose) {
  const made = values.map((value) => h("label", {}, h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => choose(value) }), ` ${value}`));
  return h("fieldset", {}, h("legend", {}, name), ...made);
}

function options(select, values, chosen) {
  select.replaceChildren(...values.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}

const shaped = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    const area = h("textarea", {}, text);
    document.body.append(area);
    area.select();
    say(document.execCommand("copy") ? `${what} copied` : `${what} can't be copied here`);
    area.remove();
  }
}

function say(text) {
  $("status").textContent = text;
}

// ---------------------------------------------------------------- asking

async function ask(verb, more = {}) {
  const body = { ...Object.fromEntries(FIELDS.map((name) => [name, state[name]])), declared: state.declared, ...more };
  try {
    const reply = await fetch(`/api/${verb}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    return await reply.json();
  } catch {
    return { error: { kind: "Gone", text: "the server does not answer", found: "the server does not answer", instead: "start it again: python -m indexcalc serve" } };
  }
}

function remember() {
  const fragment = `#${encode(state)}`;
  if (fragment !== location.hash) history.replaceState(null, "", fragment);
}

async function derive() {
  for (const name of FIELDS) state[name] = $(name).value;
  remember();
  const mine = ++asked;
  say("deriving …");
  const found = await ask("derive");
  if (mine !== asked) return;
  answer = found;
  $("error").replaceChildren();
  if (found.variables) variables(found.variables);
  $("variables-part").hidden = !found.variables;
  if (found.error) return failed(found);
  const read = [h("span", {}, "Read as "), math(found.latex, found.expression, false)];
  $("reading").replaceChildren(...read, found.note ? h("span", { class: "hint" }, found.note) : "");
  $("result").hidden = !found.result;
  if (!found.result) return say("read; name a variable to derive by");
  const names = found.groups.flatMap((group) => group.names);
  if (!names.includes(state.layout)) state.layout = "";
  if (!names.includes(state.checkLayout)) state.checkLayout = "";
  options($("layout"), [["", "as it stands"], ...names.map((name) => [name, name])], state.layout);
  options($("check-layout"), [["", "any"], ...names.map((name) => [name, name])], state.checkLayout);
  headline();
  show(state.tab);
  say(`derived by ${found.by || "what the formula says"}`);
}

function failed(found) {
  const { text, found: why, asked: what, instead } = found.error;
  $("result").hidden = true;
  $("reading").replaceChildren();
  say("");
  const parts = [h("strong", {}, why ?? text)];
  if (what) parts.push(h("p", {}, h("code", {}, what)));
  if (instead) parts.push(h("p", {}, `Instead: ${instead}`));
  for (const vectors of found.reads ?? []) {
    const words = { numpy: "plain vectors", column: "vectors as columns", row: "vectors as rows" }[vectors];
    parts.push(h("button", { type: "button", onclick: () => { $("vectors").value = vectors; derive(); } }, `Read it with ${words}`), " ");
  }
  $("error").replaceChildren(h("div", { class: "verdict wrong" }, ...parts));
}

function chosen() {
  return answer.groups.find((group) => group.names.includes(state.layout));
}

function headline() {
  const group = chosen();
  const { full, text, shape, note } = answer.result;
  $("formula-out").replaceChildren(group ? math(group.latex, group.formula) : math(full, text));
  $("formula-text").firstChild.textContent = group ? group.formula : text;
  const where = group ? `${state.layout} layout, ` : "";
  $("formula-note").textContent = [`${where}shape ${shaped(group ? group.shape : shape)}`, group ? group.note : note].filter(Boolean).join("; ");
}

// ---------------------------------------------------------------- variables

function declare(row, change) {
  const kept = state.declared.filter((one) => one.name !== row.name);
  state.declared = change ? [...kept, { name: row.name, dims: row.dims, assume: row.assume, gradient: row.gradient, ...change }] : kept;
  derive();
}

function kindOf(row) {
  if (row.dims.includes("->")) return "function";
  return ["number", "vector", "matrix", "3 axes", "4 axes"][row.dims.split(/[\s,]+/).filter(Boolean).length] ?? "4 axes";
}

function variables(rows) {
  const focus = document.activeElement?.id;
  const open = new Set([...document.querySelectorAll("#variables details[open]")].map((one) => one.dataset.name));
  const made = rows.map((row) => {
    const kind = h("select", { id: `kind-${row.name}`, "aria-label": `kind of ${row.name}`, onchange: (event) => declare(row, { dims: KINDS[event.target.value], assume: [] }) });
    options(kind, Object.keys(KINDS).map((name) => [name, name]), kindOf(row));
    const dims = h("input", { id: `dims-${row.name}`, value: row.dims, spellcheck: "false", "aria-label": `dimensions of ${row.name}`, onchange: (event) => declare(row, { dims: event.target.value }) });
    return h("tr", {}, h("th", { scope: "row" }, h("code", {}, row.name)), h("td", {}, kind), h("td", {}, dims), h("td", {}, assumptions(row, open)),
      h("td", {}, row.own ? h("button", { type: "button", "aria-label": `Guess again: ${row.name}`, onclick: () => declare(row, null) }, "Guess again") : h("span", { class: "hint" }, "guessed")));
  });
  const head = ["name", "kind", "dimensions", "what is known of it", "from"].map((text) => h("th", { scope: "col" }, text));
  $("variables").replaceChildren(h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...made)));
  $("variables-said").textContent = rows.map((row) => `${row.name} ${row.dims.includes("->") ? "a function" : row.dims.split(/[\s,]+/).join("×") || "a number"}${row.assume.map((word) => ` ${word.replaceAll("_", " ")}`).join("")}`).join(", ");
  if (focus) $(focus)?.focus();
}

function assumptions(row, open) {
  if (row.dims.includes("->")) {
    const gradient = h("input", { id: `gradient-${row.name}`, value: row.gradient, size: 4, "aria-label": `name of the gradient of ${row.name}`, onchange: (event) => declare(row, { gradient: event.target.value }) });
    return h("span", {}, "gradient ", gradient);
  }
  const boxes = choices.assumptions.map((word) => {
    const box = h("input", { type: "checkbox", id: `${word}-${row.name}`, checked: row.assume.includes(word), onchange: (event) => {
      const others = row.assume.filter((one) => one !== word);
      declare(row, { assume: event.target.checked ? [...others, word] : others });
    } });
    return h("label", {}, box, ` ${word.replaceAll("_", " ")}`);
  });
  return h("details", { "data-name": row.name, open: open.has(row.name) }, h("summary", {}, row.assume.join(", ").replaceAll("_", " ") || "nothing"), h("div", { class: "assume" }, ...boxes));
}

// ---------------------------------------------------------------- tabs

function show(tab) {
  state.tab = TABS.includes(tab) ? tab : "layouts";
  remember();
  for (const name of TABS) {
    const here = name === state.tab;
    $(`tab-${name}`).setAttribute("aria-selected", here);
    $(`tab-${name}`).tabIndex = here ? 0 : -1;
    $(`panel-${name}`).hidden = !here;
  }
  SHOW[state.tab]();
}

/** A panel whose content is asked for; what stands there stays until the answer is there. */
async function fill(tab, more, draw) {
  const mine = asked;
  const panel = $(`panel-${tab}`);
  panel.setAttribute("aria-busy", "true");
  const found = await ask(tab, more);
  if (mine !== asked) return;
  panel.removeAttribute("aria-busy");
  const error = found.error && h("div", { class: "verdict wrong" }, h("strong", {}, found.error.found ?? found.error.text), h("p", {}, found.error.instead ?? ""));
  panel.replaceChildren(...(error ? [error] : draw(found)));
}

/** A formula; with vectors as columns and as rows side by side, where these are two formulas. */
function formulas(row) {
  if (!row.stands?.length) return math(row.latex, row.formula);
  const one = ({ vectors, latex, text }) => h("figure", {}, h("figcaption", {}, `vectors as ${vectors}s`), math(latex, text));
  return h("div", { class: "stands" }, ...row.stands.map(one));
}

/** The numerator and the denominator layout beside each other, then the others; equal ones are one card. */
function layouts(groups) {
  const first = PAIR.map((name) => groups.find((group) => group.names.includes(name)));
  const pair = first.every(Boolean) ? [...new Set(first)] : [];
  const others = groups.filter((group) => !pair.includes(group));
  const row = (kind, some) => (some.length ? [h("div", { class: kind }, ...some.map((group) => card(group, group.names)))] : []);
  return [...row("beside cards", pair), ...row("cards", others)];
}

function card(row, names) {
  const [rows, columns] = row.axes;
  const here = names.includes(state.layout);
  const matrix = row.shape.length === 2;
  return h("article", { class: "card", "data-chosen": here && names.length > 0 },
    h("h3", {}, row.names[0]), row.names.length > 1 ? h("p", { class: "hint" }, `also ${row.names.slice(1).join(", ")}`) : null, formulas(row),
    list([["shape", shaped(row.shape)], [matrix ? "rows" : "axes", matrix ? rows : row.axes.join(" × ")], ["columns", matrix ? columns : ""], ["joined", row.run], ["text", row.latex && h("code", {}, row.formula)], ["NumPy", h("code", {}, row.numpy)], ["note", row.note]]),
    names.length ? h("button", { type: "button", "aria-pressed": String(here), "aria-label": `Show above: ${names[0]}`, onclick: () => choose(names[0]) }, "Show above") : null);
}

function choose(layout) {
  state.layout = layout;
  $("layout").value = layout;
  headline();
  show(state.tab);
  say(layout ? `${layout} layout` : "as it stands");
}

const SHOW = {
  layouts() {
    const refused = answer.refused.map(({ names, why }) => h("p", { class: "hint" }, `${names.join(", ")}: ${why}`));
    const views = answer.views.length ? [h("h3", {}, "Parts of it"), h("div", { class: "cards" }, ...answer.views.map((row) => card(row, [])))] : [];
    const axes = answer.axes.map((line) => h("p", { class: "hint" }, line));
    $("panel-layouts").replaceChildren(...axes, ...layouts(answer.groups), ...refused, ...views);
  },
  steps() {
    fill("steps", { style: state.style }, (found) => [
      radios("style", found.styles, found.style, (style) => { state.style = style; show("steps"); }),
      h("ol", { class: "steps" }, ...found.lines.map((line) => h("li", {}, math(line.latex, `${line.left} = ${line.right}`), h("span", { class: "rule" }, line.rule)))),
      ...found.remarks.map((text) => h("p", { class: "hint" }, text)),
    ]);
  },
  source() {
    fill("source", { target: state.target }, (found) => [
      radios("library", found.targets, found.target, (target) => { state.target = target; show("source"); }),
      h("pre", { tabindex: "0", "aria-label": "source" }, h("code", {}, found.source)),
      h("button", { type: "button", onclick: () => copy(found.source, "source") }, "Copy source"),
    ]);
  },
  picture() {
    fill("picture", {}, ({ svg, text }) => [
      h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "diagram" },
        h("img", { alt: text, src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}` })),
      h("p", { class: "hint" }, text),
    ]);
  },
  check() {
    $("mine").value = state.check;
    if (state.check) judge();
    else $("verdict").replaceChildren();
  },
  numbers() {
    fill("numbers", { seed: state.seed }, (found) => [
      h("p", {}, `${Object.entries(found.sizes).map(([name, size]) => `${name} = ${size}`).join(", ")}${found.functions.length ? `; ${found.functions.join(", ")} some smooth function` : ""}`),
      h("div", { class: "arrays" }, ...found.inputs.map((row) => array(row, row.name)), array(found, "the derivative")),
      found.check ? h("p", { class: `verdict ${found.check.agrees ? "right" : found.check.done ? "wrong" : "partly"}` }, found.check.text) : null,
      h("button", { type: "button", onclick: () => { state.seed += 1; show("numbers"); } }, "Other numbers"),
    ].filter(Boolean));
  },
};

function array({ shape, values }, name) {
  const caption = `${name} ${shaped(shape)}`;
  if (values === null) return h("p", {}, `${caption}: too many numbers to show`);
  if (shape.length > 2) return h("div", {}, h("strong", {}, caption), h("pre", { tabindex: "0", "aria-label": caption }, JSON.stringify(values).replaceAll("],[", "],\n[")));
  const rows = shape.length === 2 ? values : [shape.length ? values : [values]];
  return h("div", { class: "scroll" }, h("table", {}, h("caption", {}, caption), h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((value) => h("td", {}, String(value))))))));
}

async function judge() {
  const mine = asked;
  const found = await ask("check", { check: state.check, layout: state.checkLayout });
  if (mine !== asked) return;
  if (found.error) return $("verdict").replaceChildren(h("div", { class: "verdict wrong" }, h("strong", {}, found.error.found ?? found.error.text), h("p", {}, found.error.instead ?? "")));
  const code = (text) => text && h("code", {}, text);
  $("verdict").replaceChildren(
    h("div", { class: `verdict ${found.kind}` }, h("strong", {}, found.verdict)),
    ...(found.latex ? [math(found.latex, found.formula)] : []),
    list([["shape", found.note], ["mend", found.mend], ["right if", found.condition], ["right where", found.where], ["differs", code(found.difference)], ["example", code(found.example)],
      ["write", code(found.repair)], ["layouts", found.layouts.join(", ")], ["which derivative", found.meaning], ["decided", found.how], ["met", found.coverage]]));
}

// ---------------------------------------------------------------- the beginning

function fillIn() {
  for (const name of FIELDS) $(name).value = state[name];
}

function listen() {
  $("ask").addEventListener("submit", (event) => { event.preventDefault(); derive(); });
  for (const name of ["vectors", "syntax", "structure"]) $(name).addEventListener("change", () => $("formula").value.trim() && derive());
  for (const name of ["formula", "mine"]) $(name).addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); event.target.form.requestSubmit(); }
  });
  $("example").addEventListener("change", (event) => {
    const found = EXAMPLES[event.target.value];
    if (!found) return;
    state = { ...EMPTY, tab: state.tab, ...found[1] };
    fillIn();
    derive();
  });
  $("declare").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = $("new-name").value.trim();
    if (!name) return $("new-name").focus();
    const dims = $("new-dims").value.trim();
    $("new-name").value = $("new-dims").value = "";
    declare({ name, dims, assume: [], gradient: dims.includes("->") ? "G" : "" }, {});
  });
  $("layout").addEventListener("change", (event) => choose(event.target.value));
  $("copy-latex").addEventListener("click", () => copy(chosen()?.latex || answer.result.latex, "LaTeX"));
  $("copy-text").addEventListener("click", () => copy(chosen()?.formula ?? answer.result.text, "text"));
  $("copy-link").addEventListener("click", () => copy(location.href, "link"));
  $("check-form").addEventListener("submit", (event) => {
    event.preventDefault();
    [state.check, state.checkLayout] = [$("mine").value, $("check-layout").value];
    remember();
    judge();
  });
  for (const name of TABS) $(`tab-${name}`).addEventListener("click", () => show(name));
  $("tabs").addEventListener("keydown", (event) => {
    const here = TABS.indexOf(state.tab);
    const next = { ArrowRight: (here + 1) % TABS.length, ArrowLeft: (here + TABS.length - 1) % TABS.length, Home: 0, End: TABS.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    show(TABS[next]);
    $(`tab-${TABS[next]}`).focus();
  });
  window.addEventListener("hashchange", begin);
}

function begin() {
  state = decode(location.hash);
  fillIn();
  if (state.formula.trim()) derive();
}

$("example").append(...EXAMPLES.map(([name], place) => h("option", { value: place }, name)));
listen();
begin(); // at once: who types while the server warms up keeps what was typed
choices = { ...choices, ...(await ask("choices")) };
if (answer?.variables) variables(answer.variables);
