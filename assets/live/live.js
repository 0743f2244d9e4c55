// @ts-check
// The live page: dragging numbers, pasting tables, copying formulas, the file as text, news from elsewhere.
/// <reference path="./globals.d.ts" />
"use strict";

const DRAG_STEP = 5; // pixels for one step of a number
const question = document.body.dataset.question ?? "";
const form = /** @type {HTMLFormElement} */ (document.getElementById("form"));

// ------------------------------------------------------------ htmx

// What is typed or dragged stays until an answer knows of it: an older answer does not put it back.
/** @type {WeakMap<Node, string>} */
const unsent = new WeakMap();
for (const name of ["input", "scrub", "change"])
  form.addEventListener(name, (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (field.name) unsent.set(field, "");
  });
form.addEventListener("htmx:configRequest", () => {
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[name]")))
    if (unsent.has(field)) unsent.set(field, `sent ${field.value}`);
});
document.addEventListener("htmx:beforeSwap", () => {
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[name]")))
    if (unsent.get(field) === `sent ${field.value}`) unsent.delete(field);
});
if (window.Idiomorph) {
  window.Idiomorph.defaults.ignoreActiveValue = true;
  window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(unsent.has(node) && (name === "value" || name === "checked"));
}

document.addEventListener("htmx:afterSettle", () => {
  for (const stepper of steppers) stepper.refresh();
  reachable();
});
document.addEventListener("htmx:beforeRequest", (event) => busy(event, true));
document.addEventListener("htmx:afterRequest", (event) => busy(event, false));
document.addEventListener("htmx:sendError", () => report("The server does not answer: is report serve still running?", true));
document.addEventListener("failed", () => document.getElementById("graph")?.classList.add("stale"));
document.addEventListener("changed", () => document.getElementById("graph")?.classList.remove("stale"));

/** @param {Event} event @param {boolean} is */
function busy(event, is) {
  const target = /** @type {CustomEvent} */ (event).detail.target;
  if (target?.id === "document") target.setAttribute("aria-busy", String(is));
}

/** @param {string} words @param {boolean} problem */
function report(words, problem) {
  const place = document.getElementById("status");
  if (!place || place.textContent === words) return;
  place.textContent = words;
  place.classList.toggle("problem", problem);
}

/** @param {string} path @param {Record<string, string>} values */
function post(path, values) {
  return window.htmx.ajax("POST", `${path}?q=${encodeURIComponent(question)}`, { source: "#inputs", swap: "none", values });
}

// ------------------------------------------------------------ buttons of inputs and gates

document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const own = /** @type {HTMLElement|null} */ (target.closest("[data-input]"));
  if (own) {
    const { input = "", what = "", rows = "", columns = "" } = own.dataset;
    post("input", { name: input, what, rows, columns });
  }
  const fold = /** @type {HTMLElement|null} */ (target.closest("[data-fold]"));
  if (fold) setFolds((names) => names.filter((n) => n !== fold.dataset.fold));
  const shown = /** @type {HTMLElement|null} */ (target.closest("[data-show]"));
  if (shown) showGate(shown.dataset.show ?? "");
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (!menu.contains(target)) menu.removeAttribute("open");
});

/** Show a gate in the graph, with all numbers. @param {string} name */
function showGate(name) {
  for (const stepper of steppers) {
    stepper.go(-1);
    stepper.choose(name);
  }
  document.getElementById("graph")?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("report:unfold", (event) => {
  const gate = /** @type {CustomEvent} */ (event).detail;
  setFolds((names) => [...names.filter((n) => n !== gate), gate]);
});

/** Change which gates are written out. @param {(names: string[]) => string[]} change */
function setFolds(change) {
  const field = /** @type {HTMLInputElement} */ (document.getElementById("unfold"));
  field.value = change(field.value.split(" ").filter(Boolean)).join(" ");
  window.htmx.trigger(form, "change");
}

// ------------------------------------------------------------ numbers: dragging, arrow keys, pasting

/** @param {HTMLInputElement} cell @param {number} start @param {number} steps @param {boolean} fine */
function moved(cell, start, steps, fine) {
  const decimals = Math.min(6, (cell.dataset.written ?? cell.value).split(/e/i)[0]?.split(".")[1]?.length ?? 0);
  const size = start ? Math.floor(Math.log10(Math.abs(start))) : 0;
  const places = Math.max(1, Math.min(decimals, 2 - size)) + (fine ? 1 : 0); // a hundredth of it, or its own last digit
  cell.value = String(Number((start + steps * 10 ** -places).toFixed(places)));
  window.htmx.trigger(cell, "scrub");
}

/** @type {{cell: HTMLInputElement, x: number, start: number, pointer: number, moving: boolean} | null} */
let drag = null;

document.addEventListener("pointerdown", (event) => {
  const cell = /** @type {HTMLElement} */ (event.target).closest?.("input.cell");
  if (!(cell instanceof HTMLInputElement) || event.button || document.activeElement === cell) return;
  const start = Number(cell.value);
  if (cell.value.trim() === "" || !Number.isFinite(start)) return;
  cell.dataset.written = cell.value;
  drag = { cell, x: event.clientX, start, pointer: event.pointerId, moving: false };
});
document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.pointer) return;
  const dx = event.clientX - drag.x;
  if (!drag.moving && Math.abs(dx) < 4) return;
  if (!drag.moving) {
    drag.moving = true;
    drag.cell.setPointerCapture(event.pointerId);
    drag.cell.classList.add("dragging");
    drag.cell.blur();
  }
  event.preventDefault();
  moved(drag.cell, drag.start, Math.round(dx / DRAG_STEP), event.shiftKey);
});
for (const end of ["pointerup", "pointercancel"])
  document.addEventListener(end, () => {
    if (drag?.moving) {
      drag.cell.classList.remove("dragging");
      drag.cell.blur();
      window.htmx.trigger(drag.cell, "scrub");
    }
    drag = null;
  });

document.addEventListener("keydown", (event) => {
  const cell = event.target;
  if (!(cell instanceof HTMLInputElement) || !cell.matches(".cell")) return;
  const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  const start = Number(cell.value);
  if (!way || !Number.isFinite(start)) return;
  event.preventDefault();
  cell.dataset.written = cell.value;
  moved(cell, start, way, event.shiftKey);
});

document.addEventListener("paste", (event) => {
  const cell = event.target;
  const text = event.clipboardData?.getData("text") ?? "";
  if (!(cell instanceof HTMLInputElement) || !cell.matches(".cell") || !/[\t\n[;]/.test(text.trim())) return;
  event.preventDefault();
  const box = /** @type {HTMLElement|null} */ (cell.closest("[data-name]"));
  cell.blur();
  post("input", { name: box?.dataset.name ?? "", what: "paste", text });
});

// ------------------------------------------------------------ the file as text

const asText = /** @type {HTMLButtonElement} */ (document.getElementById("as-text"));
const textForm = /** @type {HTMLFormElement} */ (document.getElementById("text"));
asText.addEventListener("click", () => {
  const on = textForm.hidden;
  textForm.hidden = !on;
  form.hidden = on;
  asText.setAttribute("aria-pressed", String(on));
  if (on) document.getElementById("file-text")?.focus();
});

// ------------------------------------------------------------ other tabs, and the file on the disk

function version() {
  return Number(/** @type {HTMLInputElement} */ (document.getElementById("version")).value);
}

const news = new EventSource("events");
news.addEventListener("message", (event) => {
  const [what, ...rest] = event.data.split(" ");
  if (what === "saved") report(event.data, false);
  else if (what === "problem") report(rest.join(" "), true);
  else setTimeout(() => Number(rest[0]) > version() && refetch(), 400);
});

function refetch() {
  window.htmx.ajax("GET", `fragments?q=${encodeURIComponent(question)}`, { source: "body", swap: "none" });
}

for (const form_ of document.querySelectorAll("form")) form_.addEventListener("submit", (event) => event.preventDefault());
