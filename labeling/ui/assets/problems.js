/** What is wrong with a plan, shown at its field and as a list that leads there. */

import { fill, h } from "./dom.js";
import { wordsOfPath } from "./plan_path.js";

// A field that a person is only just filling in is not yet a mistake.
const PATIENT = new Set(["blank", "no_sub_questions", "missing", "unknown_expert"]);

export class Problems {
  /** `form`: where the fields stand; `plan()`: what they hold; `go(path)` leads to one. */
  constructor({ say, form, plan, go }) {
    Object.assign(this, { say, form, plan, go });
    this.problems = [];
    this.isStrict = false;
    this.pill = h("button", { type: "button", id: "plan-problems", class: "pill", "aria-expanded": "false", onclick: () => this.toggle() });
    this.list = h("ul", { class: "problem-list", hidden: true });
    form.addEventListener("focusout", () => setTimeout(() => this.mark()));
    this.clear();
  }

  clear() {
    this.isStrict = false;
    this.list.hidden = true;
    this.set([], { isChecked: false });
  }

  set(problems, { isChecked = true } = {}) {
    this.problems = problems;
    const isGood = problems.length === 0;
    this.pill.hidden = !isChecked;
    this.pill.className = `pill ${isGood ? "ok" : "bad"}`;
    this.pill.disabled = isGood;
    this.pill.textContent = isGood ? this.say("editor.no_problems") : this.say("editor.problems", { number: problems.length });
    if (isGood) this.list.hidden = true;
    fill(this.list, problems.map((each) => this.#entry(each)));
    this.pill.setAttribute("aria-expanded", String(!this.list.hidden));
    this.mark();
  }

  /** A submission was refused: show everything, empty fields too. */
  insist() {
    this.isStrict = true;
    this.toggle(true);
    this.mark();
  }

  toggle(isOpen = this.list.hidden) {
    this.list.hidden = !isOpen || this.problems.length === 0;
    this.pill.setAttribute("aria-expanded", String(!this.list.hidden));
  }

  /** Write each problem beside its field; the form's inputs are never drawn again for it. */
  mark() {
    for (const place of this.form.querySelectorAll(".problems-here")) if (place.firstChild) fill(place);
    for (const field of this.form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    for (const problem of this.problems) {
      const field = this.form.querySelector(`:is(input, textarea)[data-path="${CSS.escape(problem.path)}"]`);
      if (field && field === document.activeElement && PATIENT.has(problem.code) && !this.isStrict) continue;
      field?.setAttribute("aria-invalid", "true");
      this.#placeOf(problem.path)?.append(h("p", { class: "problem" }, problem.sentence));
    }
  }

  #placeOf(path) {
    for (let at = path; at.length > 1; at = at.replace(/(\.[^.[]+|\[\d+\])$/, "")) {
      const node = this.form.querySelector(`.problems-here[data-path="${CSS.escape(at)}"]`);
      if (node) return node;
      const around = this.form.querySelector(`:is(section, article, li)[data-path="${CSS.escape(at)}"]`);
      if (around) return [...around.children].findLast((child) => child.classList.contains("problems-here"));
    }
    return null;
  }

  #entry(problem) {
    const lead = () => this.go(problem.path);
    return h("li", {}, h("button", { type: "button", class: "problem", title: problem.path, onclick: lead }, h("b", {}, wordsOfPath(problem.path, this.plan(), this.say)), " ", problem.sentence));
  }
}
