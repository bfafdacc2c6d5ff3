// What stands on the page, as the fragment of its address, and back: an answer is a link.

export const EMPTY = {
  formula: "", by: "", vectors: "numpy", syntax: "", structure: "projected", batch: "", declared: [],
  tab: "layouts", layout: "", target: "numpy", style: "index", check: "", checkLayout: "", seed: 0,
};

/** `let=S:n n:symmetric,positive_definite:` of a declared name. */
function declared(row) {
  return [row.name, row.dims, row.assume.join(","), row.gradient].map(encodeURIComponent).join(":");
}

function declaration(text) {
  const [name, dims = "", assume = "", gradient = ""] = text.split(":").map(decodeURIComponent);
  return { name, dims, assume: assume.split(",").filter(Boolean), gradient };
}

export function encode(state) {
  const words = new URLSearchParams();
  for (const [key, usual] of Object.entries(EMPTY)) {
    if (key === "declared") state.declared.forEach((row) => words.append("let", declared(row)));
    else if (state[key] !== usual) words.set(key, state[key]);
  }
  return words.toString();
}

export function decode(fragment) {
  const words = new URLSearchParams(fragment.replace(/^#/, ""));
  const state = { ...EMPTY };
  for (const [key, usual] of Object.entries(EMPTY)) {
    if (key !== "declared" && words.has(key)) state[key] = typeof usual === "number" ? Number(words.get(key)) || 0 : words.get(key);
  }
  try {
    state.declared = words.getAll("let").map(declaration);
  } catch {
    state.declared = []; // a link that somebody cut
  }
  return state;
}
