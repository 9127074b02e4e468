/** What is wrong with a plan, shown at its field and as a list that leads there. Neither moves the form. */

import { fill, h } from "./dom.js";
import { wordsOfPath } from "./plan_path.js";

// A field that a person is only just filling in is not yet a mistake.
const PATIENT = new Set(["blank", "no_sub_questions", "missing", "unknown_expert"]);

export class Problems {
  /**
   * `form`: where the fields stand; `plan()`: what they hold; `go(path)` leads to one; `onmark(steps)`
   * hears which steps have problems, by their places.
   */
  constructor({ say, form, plan, go, onmark }) {
    Object.assign(this, { say, form, plan, go, onmark });
    this.problems = [];
    this.isStrict = false;
    this.at = -1;
    this.pill = h("button", { type: "button", id: "plan-problems", class: "pill", "aria-expanded": "false", onclick: () => this.toggle() });
    this.list = h("ul", { class: "problem-list", hidden: true, "aria-label": say("editor.problem_list"), onkeydown: (event) => this.#onKey(event) });
    this.node = h("span", { class: "problem-place", onfocusout: (event) => this.node.contains(event.relatedTarget) || this.toggle(false) }, this.pill, this.list);
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
    this.pill.className = `pill ${isChecked ? (isGood ? "ok" : "bad") : "is-unknown"}`;
    this.pill.disabled = isGood;
    this.pill.textContent = isGood ? this.say("editor.no_problems") : this.say("editor.problems", { number: problems.length });
    if (isGood) this.list.hidden = true;
    fill(this.list, problems.map((each, at) => this.#entry(each, at)));
    this.pill.setAttribute("aria-expanded", String(!this.list.hidden));
    this.mark();
  }

  /** A submission was refused: show everything, empty fields too. */
  insist() {
    this.isStrict = true;
    this.at = 0;
    this.mark();
    this.pill.classList.remove("is-pressing");
    void this.pill.offsetWidth; // so that the animation begins again
    this.pill.classList.add("is-pressing");
  }

  toggle(isOpen = this.list.hidden) {
    this.list.hidden = !isOpen || this.problems.length === 0;
    this.pill.setAttribute("aria-expanded", String(!this.list.hidden));
    if (isOpen) this.list.querySelector("button")?.focus();
  }

  /** Lead to the next problem (or with -1 the one before); false when there is none. */
  next(by) {
    const { problems } = this;
    if (!problems.length) return false;
    this.at = this.at < 0 ? (by > 0 ? 0 : problems.length - 1) : (this.at + by + problems.length) % problems.length;
    this.go(problems[this.at].path);
    return true;
  }

  /** Write each problem beside its field; the form's inputs are never drawn again for it. */
  mark() {
    for (const place of this.form.querySelectorAll(".problems-here")) if (place.firstChild) fill(place);
    for (const field of this.form.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
    const steps = new Set();
    this.problems.forEach((problem, at) => {
      const field = this.form.querySelector(`:is(input, textarea)[data-path="${CSS.escape(problem.path)}"]`);
      if (field && field === document.activeElement && PATIENT.has(problem.code) && !this.isStrict) return;
      const step = /^\$\.steps\[(\d+)\]/.exec(problem.path);
      if (step) steps.add(Number(step[1]));
      field?.setAttribute("aria-invalid", "true");
      field?.setAttribute("aria-describedby", `problem-${at}`);
      this.#placeOf(problem.path)?.append(h("p", { class: "problem", id: `problem-${at}`, title: problem.sentence }, problem.sentence));
    });
    this.onmark?.(steps);
  }

  /** The nearest place above a path where problems can be written. */
  #placeOf(path) {
    for (let at = path; at; at = at.replace(/(\.[^.[]+|\[\d+\])$/, "")) {
      const node = this.form.querySelector(`.problems-here[data-path="${CSS.escape(at)}"]`);
      if (node || at === "$") return node;
    }
    return null;
  }

  #entry(problem, at) {
    const lead = () => {
      this.at = at;
      this.toggle(false);
      this.go(problem.path);
    };
    return h("li", {}, h("button", { type: "button", class: "problem", title: problem.path, onclick: lead }, h("b", {}, wordsOfPath(problem.path, this.plan(), this.say)), " ", problem.sentence));
  }

  #onKey(event) {
    const entries = [...this.list.querySelectorAll("button")];
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by) entries.at((entries.indexOf(document.activeElement) + by) % entries.length).focus();
    else if (event.key === "Escape") {
      this.toggle(false);
      this.pill.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
