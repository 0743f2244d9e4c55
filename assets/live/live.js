// @ts-check
// The live page: dragging numbers, pasting tables, copying formulas, the file as text, news from elsewhere.
/// <reference path="./globals.d.ts" />
"use strict";

const DRAG_STEP = 5; // pixels for one step of a number
const question = document.body.dataset.question ?? "";
const form = /** @type {HTMLFormElement} */ (document.getElementById("form"));
const textForm = /** @type {HTMLFormElement} */ (document.getElementById("text"));

// ------------------------------------------------------------ htmx

// What is typed or dragged stays until an answer knows of it: no older answer, and none that refuses it, puts
// it back. Of the form only what was touched is sent: what another tab has changed stays as it is there.
/** @type {WeakMap<Node, string>} */
const unsent = new WeakMap();
/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */

/** @param {HTMLFormElement} own */
function fields(own) {
  return /** @type {Field[]} */ ([...own.querySelectorAll("[name]:not([name=version])")]);
}

for (const name of ["input", "scrub", "change"])
  document.addEventListener(
    name,
    (event) => {
      const field = /** @type {Field} */ (event.target);
      const told = name === "change" && field.matches("textarea, input:not([type=checkbox])"); // by input before
      if (field.name && !told && field.closest("#form, #text")) unsent.set(field, "");
    },
    true, // before htmx hears of it
  );
form.addEventListener("htmx:configRequest", (event) => {
  const sent = /** @type {CustomEvent} */ (event).detail.parameters;
  for (const field of fields(form)) {
    delete sent[field.name];
    if (unsent.has(field)) sent[field.name] = content(field);
  }
});
for (const own of [form, textForm])
  own.addEventListener("htmx:configRequest", () => {
    for (const field of fields(own)) if (unsent.has(field)) unsent.set(field, `sent ${content(field)}`);
  });

/** @param {Field} field */
function content(field) {
  return field instanceof HTMLInputElement && field.type === "checkbox" ? (field.checked ? "on" : "") : field.value;
}

/** The fields that the answer at hand refuses. @type {string[]} */
let rejected = [];
document.addEventListener("rejected", (event) => (rejected = /** @type {CustomEvent} */ (event).detail.value ?? []));
document.addEventListener("version", (event) => {
  const { elt, value } = /** @type {CustomEvent} */ (event).detail;
  const own = /** @type {HTMLInputElement} */ (document.getElementById("text-version"));
  if (elt === textForm && !rejected.includes("text")) own.value = String(value);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const own = /** @type {CustomEvent} */ (event).detail.requestConfig?.elt;
  for (const field of own === form || own === textForm ? fields(own) : []) {
    if (unsent.get(field) !== `sent ${content(field)}`) continue;
    if (rejected.includes(field.name)) field.setAttribute("aria-invalid", "true");
    else unsent.delete(field);
  }
  rejected = [];
});
if (window.Idiomorph)
  window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => {
    if (name === "value" && node === document.activeElement) return false; // 0. is not yet 0.0
    const holder = /** @type {Element} */ (node).id === "text-version" ? textForm.querySelector("textarea") : node;
    return !(holder && unsent.has(holder) && ["value", "checked", "aria-invalid"].includes(name));
  };

/** Where the keyboard goes on when what had it is gone. */
let refocus = "";
document.addEventListener("htmx:afterSettle", () => {
  for (const stepper of steppers) stepper.refresh();
  reachable();
  const next = refocus && /** @type {HTMLElement|null} */ (document.querySelector(refocus));
  if (next) next.focus();
  if (next) refocus = "";
});
document.addEventListener("htmx:beforeRequest", (event) => busy(event, true));
document.addEventListener("htmx:afterRequest", (event) => {
  busy(event, false);
  if (/** @type {CustomEvent} */ (event).detail.elt?.id === "descend")
    document.getElementById("losses")?.scrollIntoView({ block: "nearest" });
});
document.addEventListener("htmx:sendError", () => silent());
document.addEventListener("failed", () => old(true));
document.addEventListener("changed", () => old(false));

/** Whether what is shown is older than the formula. @param {boolean} is */
function old(is) {
  document.getElementById("graph")?.classList.toggle("stale", is);
  document.getElementById("old")?.toggleAttribute("hidden", !is);
}

/** @param {Event} event @param {boolean} is */
function busy(event, is) {
  const target = /** @type {CustomEvent} */ (event).detail.target;
  if (target?.id === "document") target.setAttribute("aria-busy", String(is));
}

function silent() {
  report("The server does not answer: is report serve still running?", true);
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
  if (target.id === "undo") post("undo", {});
  folding(target);
  const link = /** @type {HTMLAnchorElement|null} */ (target.closest("a[download]"));
  if (link) {
    event.preventDefault();
    void download(link);
  }
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

document.addEventListener("keydown", (event) => {
  const mark = /** @type {Element} */ (event.target).closest?.("g.fold");
  if (!mark || (event.key !== "Enter" && event.key !== " ")) return;
  event.preventDefault();
  folding(mark);
});

/** What a button says is to be written out in simpler gates, or folded. @param {Element} target */
function folding(target) {
  const button = /** @type {HTMLElement|null} */ (target.closest("[data-fold], [data-unfold]"));
  const { fold, unfold } = button?.dataset ?? {};
  const gate = fold ?? unfold;
  if (!button || !gate) return;
  const field = /** @type {HTMLInputElement} */ (document.getElementById("unfold"));
  const others = field.value.split(" ").filter((n) => n && n !== gate);
  field.value = (unfold ? [...others, gate] : others).join(" ");
  refocus = `g.fold[data-${unfold ? "" : "un"}fold="${CSS.escape(gate)}"]`;
  window.htmx.trigger(field, "scrub");
}

/** Fetch a file, so that what is wrong is told on the page. @param {HTMLAnchorElement} link */
async function download(link) {
  const before = document.getElementById("status")?.textContent ?? "";
  link.closest("details")?.removeAttribute("open");
  report(`${link.textContent}: in the making …`, false);
  const answer = await fetch(link.href).catch(() => null);
  if (!answer) return silent();
  report(before, false);
  if (!answer.ok) {
    const words = document.createElement("pre");
    words.textContent = `${link.textContent}: ${await answer.text()}`;
    document.getElementById("error")?.replaceChildren(words);
    return;
  }
  const file = document.createElement("a");
  file.href = URL.createObjectURL(await answer.blob());
  file.download = /filename="(.*)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "";
  file.click();
  setTimeout(() => URL.revokeObjectURL(file.href), 10_000);
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
  if (!(cell instanceof HTMLInputElement) || !cell.matches(".cell") || !/[\t\n[;&]|\d,?\s+[-−.\d]/.test(text.trim())) return;
  event.preventDefault();
  const box = /** @type {HTMLElement|null} */ (cell.closest("[data-name]"));
  cell.blur();
  post("input", { name: box?.dataset.name ?? "", what: "paste", text });
});

// ------------------------------------------------------------ the file as text

toggle("as-text", (on) => {
  textForm.hidden = !on;
  form.hidden = on;
  const error = document.getElementById("error");
  if (error) (on ? textForm : document.getElementById("function-field"))?.after(error);
  if (on) document.getElementById("file-text")?.focus();
});
toggle("hide-form", (on) => document.body.classList.toggle("formless", on));

/** A button that is on or off. @param {string} id @param {(on: boolean) => void} act */
function toggle(id, act) {
  const made = /** @type {HTMLButtonElement} */ (document.getElementById(id));
  made.addEventListener("click", () => {
    const on = made.getAttribute("aria-pressed") !== "true";
    made.setAttribute("aria-pressed", String(on));
    act(on);
  });
}

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
let lost = false; // the connection
news.addEventListener("error", () => {
  lost = true;
  silent();
});
news.addEventListener("open", () => {
  if (lost) refetch();
  lost = false;
});

let missed = false; // whether the field that has the keyboard may show what was before a change elsewhere
document.addEventListener("focusout", () => {
  if (missed) refetch();
  missed = false;
});

function refetch() {
  missed = [...fields(form), ...fields(textForm)].some((field) => field === document.activeElement);
  window.htmx.ajax("GET", `fragments?q=${encodeURIComponent(question)}`, { source: "body", swap: "none" });
}

for (const form_ of document.querySelectorAll("form")) form_.addEventListener("submit", (event) => event.preventDefault());
