/** The plan editor: a form, the raw JSON kept in step, a comparison with the model, one undo for all. */

import { fill, h } from "./dom.js";
import * as plans from "./plan.js";
import { showComparison } from "./plan_compare.js";
import { PlanForm } from "./plan_form.js";
import { PlanJson } from "./plan_json.js";
import { Problems } from "./problems.js";
import { readJson } from "./json_text.js";
import { Undo } from "./undo.js";

const TABS = ["form", "json", "compare"];

export class PlanEditor {
  /**
   * `onedit({content, raw})` after every change that a person makes; `about(name)` tells more of an
   * expert; `candidates()` shows all suggestions side by side, where the page can.
   */
  constructor(root, { say, keys, onedit, about = null, candidates = null }) {
    Object.assign(this, { root, say, keys, onedit, candidates });
    this.state = { content: plans.EMPTY_PLAN, raw: null };
    this.history = new Undo(this.state);
    this.panels = Object.fromEntries(TABS.map((tab) => [tab, this.#panel(tab)]));
    this.tabs = Object.fromEntries(TABS.map((tab) => [tab, this.#tab(tab)]));
    this.form = new PlanForm(this.panels.form, { say, keys, about, change: (plan, how) => this.#onForm(plan, how) });
    this.json = new PlanJson(this.panels.json, { say, change: (state) => this.#onJson(state) });
    this.problems = new Problems({
      say, form: this.panels.form, plan: () => this.state.content, go: (path) => this.focus(path), onmark: (steps) => this.form.graph.mark(steps),
    });
    this.unshown = h("div", { class: "form-warning", hidden: true });
    this.told = h("p", { class: "only-heard", role: "status" });
    fill(root, this.#head(), this.unshown, TABS.map((tab) => this.panels[tab]), this.told);
    this.#turnTo("form");
    root.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Begin with an item: `{content, raw, experts, changes, hues, model, modelName, suggestions}`. */
  open({ content, raw = null, ...item }) {
    this.state = { content, raw };
    this.history.start(this.state);
    this.problems.clear();
    this.shown = raw === null && plans.isPlanShaped(content) ? "form" : "json";
    this.compareWith(item);
  }

  /** Compare with another of the model's plans; what is being edited stays. */
  compareWith(item) {
    this.item = item;
    this.form.begin(item);
    this.tabs.compare.hidden = !item.model;
    this.tabs.compare.textContent = this.say("editor.compare", { model: item.modelName });
    this.candidatesButton.hidden = !this.candidates || (item.suggestions ?? 0) < 2;
    this.candidatesButton.firstChild.textContent = this.say("editor.candidates", { number: item.suggestions ?? 0 });
    this.#turnTo(this.shown === "compare" && !item.model ? "form" : this.shown);
    this.#draw();
  }

  /** Replace the whole plan as one step that can be undone. */
  replace(content) {
    this.#take({ content, raw: null }, { isDrawn: true });
  }

  /** The error of the raw text, when it is not JSON. */
  get rawError() {
    return this.state.raw === null ? null : readJson(this.state.raw).error;
  }

  setProblems(problems) {
    this.problems.set(problems);
  }

  /** Bring the field of a path in sight and put the caret there. */
  focus(path = "$.rewritten_query") {
    if (this.rawError || !plans.isPlanShaped(this.state.content)) {
      this.show("json");
      return this.json.focus();
    }
    this.show("form");
    for (let at = path; at; at = at.replace(/(\.[^.[]+|\[\d+\])$/, "")) {
      if (this.form.focus(at) || this.form.focus(`${at}.expert`)) return undefined;
      if (at === "$") return this.form.focus("$.rewritten_query");
    }
    return undefined;
  }

  /** Turn to a tab; the one that is shown already is not drawn again. */
  show(tab) {
    if (tab === this.shown) return;
    this.#turnTo(tab);
    this.#draw();
  }

  #turnTo(tab) {
    this.shown = tab;
    for (const each of TABS) {
      this.panels[each].hidden = each !== tab;
      this.tabs[each].setAttribute("aria-selected", String(each === tab));
      this.tabs[each].tabIndex = each === tab ? 0 : -1;
    }
  }

  addStep() {
    this.show("form");
    this.form.edits.addStep();
  }

  undo() {
    this.#step(this.history.undo());
  }

  redo() {
    this.#step(this.history.redo());
  }

  #onForm(content, { group, focus, told }) {
    this.#take({ content, raw: null }, { group, isDrawn: focus !== null });
    if (focus) this.form.focus(focus);
    else this.form.showChangesSoon();
    if (told) this.told.textContent = this.say(...told);
  }

  #onJson({ content = this.state.content, raw }) {
    this.#take({ content, raw }, { group: "json" });
  }

  #take(state, { group = null, isDrawn = false } = {}) {
    if (state.raw === this.state.raw && plans.isSamePlan(state.content, this.state.content)) return;
    this.state = state;
    this.history.push(state, group);
    if (isDrawn) this.#draw();
    this.#showTools();
    this.onedit(state);
  }

  #step(state) {
    if (!state) return;
    const path = document.activeElement?.dataset?.path;
    this.state = state;
    this.#draw();
    if (this.shown === "json") this.json.focus();
    else if (path) this.form.focus(path) || this.form.focus("$.rewritten_query");
    this.onedit(state);
  }

  #draw() {
    if (!this.item) return;
    const { content } = this.state;
    const isShaped = plans.isPlanShaped(content);
    if (this.shown === "form") this.form.draw(content);
    if (this.shown === "json") this.json.show(this.state);
    if (this.shown === "compare") fill(this.panels.compare, this.#comparison());
    const warning = this.shown !== "json" && (this.rawError ? "editor.form_behind" : isShaped ? null : "editor.form_cannot_show");
    this.unshown.hidden = !warning;
    if (warning) fill(this.unshown, this.say(warning), h("button", { type: "button", class: "link", onclick: () => this.show("json") }, this.say("editor.to_json")));
    this.problems.mark();
    this.#showTools();
  }

  #comparison() {
    const names = { before: this.item.modelName, after: this.say("editor.yours") };
    return showComparison(this.item.model, this.state.content, { say: this.say, names, hues: this.item.hues });
  }

  #showTools() {
    this.undoButton.disabled = !this.history.canUndo;
    this.redoButton.disabled = !this.history.canRedo;
  }

  #head() {
    const tool = (id, sign, words, run) =>
      h("button", { type: "button", id, class: "quiet", title: this.say(words), "aria-label": this.say(words), onclick: run }, sign, id === "plan-undo" && this.keys.show("undo"));
    this.undoButton = tool("plan-undo", "↶", "editor.undo", () => this.undo());
    this.redoButton = tool("plan-redo", "↷", "editor.redo", () => this.redo());
    this.candidatesButton = h("button", { type: "button", id: "plan-candidates", class: "quiet", hidden: true, onclick: () => this.candidates() }, h("span"), this.keys.show("candidates"));
    return h(
      "div",
      { class: "card-head" },
      h("h3", {}, this.say("editor.title")),
      h("div", { class: "tabs", role: "tablist", "aria-label": this.say("editor.title"), onkeydown: (event) => this.#onTabKey(event) }, TABS.map((tab) => this.tabs[tab])),
      this.candidatesButton,
      h("span", { class: "right" }, this.problems.node, this.undoButton, this.redoButton),
    );
  }

  #tab(tab) {
    return h(
      "button",
      { type: "button", role: "tab", id: `plan-tab-${tab}`, "aria-controls": `plan-${tab}-panel`, onclick: () => this.show(tab) },
      this.say(`editor.${tab}`, { model: "" }),
    );
  }

  #panel(tab) {
    return h("div", { class: `plan-${tab}`, id: `plan-${tab}-panel`, role: "tabpanel", "aria-labelledby": `plan-tab-${tab}` });
  }

  #onTabKey(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    const shown = TABS.filter((tab) => !this.tabs[tab].hidden);
    const next = shown[(shown.indexOf(this.shown) + by + shown.length) % shown.length];
    this.show(next);
    this.tabs[next].focus();
    event.preventDefault();
  }

  #onKey(event) {
    const isMod = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (event.isComposing || event.altKey || (key !== "f8" && !isMod)) return;
    if (key === "f8" && !isMod) this.problems.next(event.shiftKey ? -1 : 1);
    else if (key === "z" && !event.shiftKey) this.undo();
    else if (key === "y" || (key === "z" && event.shiftKey)) this.redo();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
