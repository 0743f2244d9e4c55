// @ts-check
// Walks through a computational graph: forward gate by gate, then backward; in the live page and in an exported one.
"use strict";

/**
 * @typedef {{name: string, number: number, gate: string, arguments: string[], unfolds: string,
 *   value: any, gradient: any, valueText: string, gradientText: string}} Gate
 * @typedef {{inputs: Gate[], gates: Gate[], letter: string, value: number, result: string}} Steps
 */

/** @param {string} tag @param {Record<string, string>} attributes @param {...(Node|string)} children */
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

class Stepper {
  /** @param {HTMLElement} figure @param {HTMLElement} place where the controls go @param {HTMLElement} below where steps are told */
  constructor(figure, place, below) {
    this.figure = figure;
    /** -1: everything is shown; 0: the inputs; 1 to n: forward; n + 1: the seed; then backward. */
    this.position = -1;
    this.last = -1; // the last position
    /** The gates that are drawn, in the order of the forward pass. @type {string[]} */
    this.order = [];
    /** @type {Steps} */
    this.steps = { inputs: [], gates: [], letter: "f", value: 0, result: "" };
    /** @type {Map<string, Gate>} */
    this.byName = new Map();
    this.hidden = false; // whether the number of this step waits to be revealed
    this.shown = ""; // the rows of the document that the step shows
    this.read = /** @type {string | undefined} */ (undefined); // the data of the figure
    /** @type {string} */ this.chosen = "";
    this.back = button("‹", "Step back", () => this.go(this.position - 1));
    this.next = button("›", "Step forward", () => this.go(this.position + 1));
    this.all = button("Show all", "", () => this.go(-1));
    this.slider = /** @type {HTMLInputElement} */ (
      element("input", { type: "range", min: "0", "aria-label": "Step", class: "steps" })
    );
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    this.predict = /** @type {HTMLInputElement} */ (element("input", { type: "checkbox" }));
    this.predict.addEventListener("change", () => this.show());
    this.view = element("div", { class: "step-view", "aria-live": "polite" });
    place.replaceChildren(
      element("div", { class: "controls", role: "group", "aria-label": "Steps through the graph" },
        this.back, this.slider, this.next, this.all,
        element("label", { class: "predict" }, this.predict, " predict first")),
    );
    below.replaceChildren(this.view);
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("keydown", (event) => this.key(event));
    this.refresh();
  }

  /** Read the figure again: after its numbers or its gates have changed. */
  refresh() {
    const found = this.figure.dataset.steps;
    const same = found === this.read && this.position <= this.last;
    this.read = found;
    this.steps = found ? JSON.parse(found) : { inputs: [], gates: [], letter: "f", value: 0, result: "" };
    this.byName = new Map([...this.steps.inputs, ...this.steps.gates].map((g) => [g.name, g]));
    const drawn = [...this.figure.querySelectorAll("g.gate")];
    this.order = drawn
      .sort((a, b) => Number(a.getAttribute("data-number")) - Number(b.getAttribute("data-number")))
      .map((g) => g.getAttribute("data-gate") ?? "");
    this.last = 2 * this.order.length + 1;
    this.slider.max = String(this.last);
    if (this.position > this.last) this.position = -1;
    if (this.chosen && !this.byName.has(this.chosen)) this.chosen = "";
    this.show(same);
  }

  /** @param {number} position */
  go(position) {
    const to = Math.max(-1, Math.min(position, this.last));
    this.hidden = this.predict.checked && to > this.position && to > 0;
    this.position = to;
    this.chosen = "";
    this.show();
    this.bring();
  }

  /** Scroll the current gate into view, and let the arrow keys walk here. */
  bring() {
    used = this;
    this.figure.querySelector(".gate.current")?.scrollIntoView({ block: "nearest", inline: "center" });
  }

  /** Whether the arrow keys walk here: of the figures in view in the one that was used, else in the first. */
  walks() {
    const seen = steppers.filter(({ figure }) => {
      const { top, bottom } = figure.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    });
    return this === (used && (seen.includes(used) || !seen.length) ? used : seen[0]);
  }

  /** What a position is about: the direction and the gate. */
  at() {
    const n = this.order.length;
    if (this.position < 1) return { way: this.position < 0 ? "all" : "start", name: this.chosen };
    if (this.position <= n) return { way: "forward", name: this.order[this.position - 1] ?? "" };
    if (this.position === n + 1) return { way: "seed", name: this.order[n - 1] ?? "" };
    return { way: "backward", name: this.order[this.last - this.position] ?? "" };
  }

  /** @param {boolean} same whether it is the step that is shown already */
  show(same = false) {
    const order = this.order;
    const n = order.length;
    const p = this.position;
    const { way, name } = this.at();
    const place = new Map(order.map((g, i) => [g, i + 1]));
    const done = (/** @type {string} */ g) => p < 0 || (place.get(g) ?? 0) <= (this.hidden && way === "forward" ? p - 1 : p);
    const backward = p < 0 ? n : Math.max(0, p - n - 1 - (this.hidden && way === "backward" ? 1 : 0));
    const returned = (/** @type {string} */ g) =>
      p < 0 || (g === "" ? p > n : (place.get(g) ?? Infinity) > n - backward);
    this.figure.classList.toggle("stepping", p >= 0);
    const consumers = new Map();
    for (const edge of this.figure.querySelectorAll("g.edge")) {
      const from = edge.getAttribute("data-from") ?? "", to = edge.getAttribute("data-to") ?? "";
      consumers.set(from, [...(consumers.get(from) ?? []), to]);
      edge.classList.toggle("no-value", !done(from));
      edge.classList.toggle("no-gradient", !returned(to));
      const into = to === name && name !== "";
      const out = from === name && name !== "";
      edge.classList.toggle("lit-value", (way === "forward" && (into || out)) || (way === "all" && into));
      edge.classList.toggle("lit-gradient", (way === "backward" && (into || out)) || (way === "seed" && to === "") || (way === "all" && out));
    }
    for (const node of this.figure.querySelectorAll("g.gate, g.source")) {
      const own = node.getAttribute("data-gate") ?? node.getAttribute("data-name") ?? "";
      node.classList.toggle("current", own === name && node.matches(".gate"));
      node.classList.toggle("no-gradient", !(consumers.get(own) ?? [""]).every(returned));
      if (node.matches(".gate")) node.setAttribute("tabindex", "0");
    }
    this.slider.value = String(Math.max(0, p));
    this.back.disabled = p <= 0;
    this.next.disabled = p >= (this.last);
    this.slider.setAttribute("aria-valuetext", this.words(way, name));
    this.tell(way, name, same);
    reachable(this.view);
  }

  /** @param {string} way @param {string} name */
  words(way, name) {
    const n = this.order.length;
    if (way === "all") return name ? `Gate ${name}` : "";
    if (way === "start") return "The inputs are given.";
    if (way === "seed") return `Backward: the gradient of ${this.steps.letter} by itself is 1.`;
    const step = way === "forward" ? this.position : this.position - n - 1;
    return `${way === "forward" ? "Forward" : "Backward"}, step ${step} of ${n}: gate ${name}`;
  }

  /** Say what happens at this step, and mark and show the rows of the document that are about it. Of the same
   * step with the same rows the text stays as it is, and so does what is being typed in it.
   * @param {string} way @param {string} name @param {boolean} same */
  tell(way, name, same) {
    const gate = this.byName.get(name);
    const asked = this.hidden && (way === "forward" || way === "backward");
    const wanted = gate && !asked ? this.rows(way, name) : [];
    for (const marked of document.querySelectorAll(".here")) marked.classList.remove("here");
    for (const row of wanted) row.classList.add("here");
    const copies = wanted.map(shownCopy);
    const shown = copies.map((copy) => copy.outerHTML).join("");
    if (same && shown === this.shown) return;
    this.shown = shown;
    const verdict = same ? this.view.querySelector(".right-answer, .wrong-answer") : null;
    this.view.replaceChildren(...(verdict ? [verdict] : []));
    const words = this.words(way, name);
    if (!words) return;
    const head = element("div", { class: "step-head" }, element("p", { class: "words" }, words));
    this.view.append(head);
    if (!gate) return;
    if (asked) {
      this.view.append(this.question(way, gate));
      return;
    }
    this.view.append(...copies);
    if (!wanted.length || way === "seed") this.view.append(this.numbers(way, gate));
    if (wanted.length)
      head.append(button("Copy", "Copy the formula of this step", () => void this.view.dispatchEvent(new CustomEvent("report:copy", { bubbles: true }))));
    if (gate.unfolds && this.figure.classList.contains("foldable"))
      head.append(element("button", { type: "button", "data-unfold": gate.unfolds }, `Write ${gate.unfolds} out in simpler gates`));
  }

  /** The rows of the document about a gate: of the forward pass, of the backward pass, or of both.
   * @param {string} way @param {string} name */
  rows(way, name) {
    const own = this.figure.closest("[data-version]")?.getAttribute("data-version");
    const theirs = document.getElementById("document-version")?.dataset.version;
    if (own && own !== theirs) return []; // the document is still of older numbers
    const anchor = `${this.figure.dataset.question ?? ""}-${name}`;
    const all = (/** @type {string} */ s) => /** @type {HTMLElement[]} */ ([...document.querySelectorAll(s)]);
    const linked = all(`.forward [href="#${CSS.escape(anchor)}"], .forward [href="#${anchor}"]`);
    const forward = linked.map((a) => /** @type {HTMLElement} */ (a.closest("tr") ?? a));
    const back = document.getElementById(anchor);
    return [...(way === "backward" ? [] : new Set(forward)), ...(way === "forward" || !back ? [] : [back])];
  }

  /** @param {string} way @param {Gate} gate */
  numbers(way, gate) {
    const line = element("p", {});
    if (way !== "backward" && way !== "seed") line.append("value ", element("span", { class: "value" }, gate.valueText));
    if (way !== "forward") line.append(way === "all" ? ", " : "", "gradient ", element("span", { class: "gradient" }, `∂ ${gate.gradientText}`));
    return line;
  }

  /** Ask for the number before it is shown. @param {string} way @param {Gate} gate */
  question(way, gate) {
    const wanted = way === "forward" ? gate.value : null;
    const box = element("form", { class: "ask" });
    const answers = way === "forward" ? [{ label: `The value of ${gate.name}`, number: wanted }] : this.backwardAnswers(gate);
    /** @type {{field: HTMLInputElement, number: number}[]} */
    const fields = [];
    for (const { label, number } of answers) {
      if (typeof number !== "number") continue;
      const field = /** @type {HTMLInputElement} */ (element("input", { inputmode: "decimal", size: "8" }));
      box.append(element("label", {}, `${label} `, field));
      fields.push({ field, number });
    }
    if (!fields.length) box.append(element("p", {}, "Work it out on paper, then look."));
    const reveal = element("button", { type: "submit" }, "Reveal");
    box.append(reveal);
    box.addEventListener("submit", (event) => {
      event.preventDefault();
      const said = fields.filter(({ field }) => field.value.trim() !== "").map(({ field, number }) => near(field.value, number));
      this.hidden = false;
      this.show();
      if (said.length) {
        const right = said.every(Boolean);
        this.view.prepend(element("p", { class: right ? "right-answer" : "wrong-answer", role: "status" }, right ? "✓ That is right." : "✗ Not quite: compare with the step below."));
      }
      this.next.focus();
    });
    queueMicrotask(() => (fields[0]?.field ?? reveal).focus());
    return box;
  }

  /** What a gate sends back to each of its arguments, as the figure's data know it. @param {Gate} gate */
  backwardAnswers(gate) {
    const once = gate.arguments.filter((a, i) => gate.arguments.indexOf(a) === i);
    return once
      .map((name) => ({ name, of: this.byName.get(name) }))
      .filter(({ name }) => this.uses(name) === 1)
      .map(({ name, of }) => ({ label: `∂${this.steps.letter}/∂${name}`, number: of?.gradient }));
  }

  /** In how many places a value is used. @param {string} name */
  uses(name) {
    return this.steps.gates.reduce((sum, g) => sum + g.arguments.filter((a) => a === name).length, 0);
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const target = /** @type {Element} */ (event.target);
    if (!target.closest || !this.figure.contains(target)) return;
    const node = target.closest("g.gate, g.edge");
    if (!node) return;
    event.preventDefault();
    const name = node.getAttribute("data-gate") || node.getAttribute("data-to") || node.getAttribute("data-from") || "";
    this.choose(name);
  }

  /** Show a gate's step: in the pass that is under way, or with all numbers. @param {string} name */
  choose(name) {
    const i = this.order.indexOf(name);
    if (i < 0) return;
    const n = this.order.length;
    this.hidden = false;
    if (this.position < 0) this.chosen = name;
    else this.position = this.position <= n ? i + 1 : this.last - i;
    this.show();
    this.bring();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const gate = target.closest?.("g.gate");
    if (gate && this.figure.contains(gate) && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      this.choose(gate.getAttribute("data-gate") ?? "");
      return;
    }
    if (target.closest?.("input, textarea, select, [contenteditable], summary") || !this.walks()) return;
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (move && !(move < 0 && this.position < 0)) {
      event.preventDefault();
      this.go(this.position + move);
    } else if (event.key === "Escape" && (this.position >= 0 || this.chosen)) this.go(-1);
  }
}

/** A copy of a row of the document without what is there once only.
 * @param {HTMLElement} row */
function shownCopy(row) {
  const copy = /** @type {HTMLElement} */ (row.cloneNode(true));
  for (const e of [copy, ...copy.querySelectorAll("[id], [tabindex]")])
    for (const name of ["id", "tabindex"]) e.removeAttribute(name);
  copy.classList.remove("here");
  for (const link of copy.querySelectorAll("a[href]")) link.replaceWith(...link.childNodes);
  if (!row.matches("tr, tbody")) return element("div", { class: "document row-copy" }, copy);
  const kind = row.closest("table")?.className ?? "";
  const body = row.matches("tbody") ? copy : element("tbody", {}, copy);
  return element("div", { class: "document row-copy" }, element("table", { class: `${kind} copied`, role: "presentation" }, body));
}

/** Whether a typed number is right: within one percent, or within one unit of its last digit.
 * @param {string} text @param {number} number */
function near(text, number) {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  const given = Number(plain);
  const decimals = plain.split("e")[0]?.split(".")[1]?.length ?? 0;
  const unit = decimals ? 10 ** -decimals : 0;
  return Number.isFinite(given) && Math.abs(given - number) <= Math.max(0.01 * Math.abs(number), unit, 1e-9);
}

/** @param {string} text @param {string} label @param {() => void} act */
function button(text, label, act) {
  const made = /** @type {HTMLButtonElement} */ (element("button", { type: "button", ...(label ? { "aria-label": label } : {}) }, text));
  made.addEventListener("click", act);
  return made;
}

/** Let the keyboard reach what scrolls. @param {ParentNode} within */
function reachable(within = document) {
  for (const e of within.querySelectorAll(".eq, .formula, .box, .code, .terminal, .panel, .results, .echo, .grid, .document table, table.copied, .step-view")) {
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === "auto") e.setAttribute("tabindex", "0");
    else if (e.getAttribute("tabindex") === "0") e.removeAttribute("tabindex");
  }
}

/** The steppers of the page, one for each figure. @type {Stepper[]} */
const steppers = [];
/** The one that was used last. @type {Stepper|null} */
let used = null;

function startSteppers() {
  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("figure.steppable"))) {
    const own = figure.id === "graph";
    const place = (own && document.getElementById("stepper")) || element("div", { class: "stepper" });
    const below = (own && document.getElementById("step")) || element("div", {});
    if (!place.isConnected) figure.before(place);
    if (!below.isConnected) figure.after(below);
    steppers.push(new Stepper(figure, place, below));
  }
  reachable();
  addEventListener("resize", () => reachable());
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startSteppers);
else startSteppers();
