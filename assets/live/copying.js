// @ts-check
// A click on a formula offers its LaTeX and its MathML to copy; in the live page and in an exported one.
"use strict";

(() => {
  /** @param {string} text @param {() => string} what */
  const choice = (text, what) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", () => copy(what()));
    return made;
  };

  /** @type {Element|null} */
  let formula = null;
  const box = document.createElement("div");
  box.className = "copy";
  box.hidden = true;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Copy this formula");
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  box.append(
    choice("Copy LaTeX", () => formula?.getAttribute("data-tex") ?? ""),
    choice("Copy MathML", () => (formula ? mathml(formula) : "")),
    said,
  );

  /** A formula as one element, also where it stands in several. @param {Element} formula */
  const mathml = (formula) => {
    const parts = formula.matches("math") ? [formula] : [...formula.querySelectorAll("math")];
    const whole = /** @type {Element} */ (parts[0]?.cloneNode());
    whole.removeAttribute("data-tex");
    for (const part of parts) whole.append(...part.cloneNode(true).childNodes);
    return whole.outerHTML;
  };

  /** @param {string} text */
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = document.createElement("textarea"); // a page from file:// in some browsers
      field.value = text;
      box.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    said.textContent = "copied";
  };

  /** @param {Element} math */
  const offer = (math) => {
    formula = math.closest("[data-tex]") ?? math;
    said.textContent = "";
    if (!box.isConnected) document.body.append(box);
    box.hidden = false;
    const place = math.getBoundingClientRect();
    box.style.left = `${Math.max(4, Math.min(place.left, innerWidth - 270)) + scrollX}px`;
    box.style.top = `${place.bottom + 4 + scrollY}px`;
  };

  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (box.contains(target)) return;
    const math = target.closest("math");
    if (math) offer(math);
    else box.hidden = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") box.hidden = true;
  });

  /** For the keyboard: the formulas of the step that is shown. */
  document.addEventListener("report:copy", (event) => {
    const math = /** @type {Element} */ (event.target).querySelector("math");
    if (!math) return;
    offer(math);
    /** @type {HTMLElement|null} */ (box.querySelector("button"))?.focus();
  });
})();
