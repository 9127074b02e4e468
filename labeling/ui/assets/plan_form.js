/** The form of a plan: rewritten query, stages side by side in time, steps, sub-questions. */

import { alignSteps, showDiff } from "./diff.js";
import { fill, grow, h, pill } from "./dom.js";
import { ExpertBox } from "./expert_box.js";
import * as plans from "./plan.js";
import { makeDraggable } from "./step_drag.js";

const FOLLOW_MS = 120;

export class PlanForm {
  /**
   * `change(plan, {group, focus})` takes every edit: `group` names the field typed in, `focus` is
   * set when the form must be drawn again with that path focused.
   */
  constructor(root, { say, keys, change }) {
    Object.assign(this, { root, say, keys, change });
    this.plan = plans.EMPTY_PLAN;
    /** A path that a reviewer named; its field is marked. */
    this.marked = null;
    root.addEventListener("keydown", (event) => this.#onKey(event));
    makeDraggable(root, (index, target) => this.#moved(plans.dropStep(this.plan, index, target), "expert"));
  }

  /** What the item brings: its experts, those new in its list, the model's plan and name. */
  begin({ experts, newExperts, hues, model, modelName }) {
    Object.assign(this, { experts, newExperts, hues, model, modelName });
  }

  /** Draw this plan from the start. */
  draw(plan) {
    clearTimeout(this.following);
    this.plan = plans.readable(plan);
    const stages = plans.stagesOf(this.plan);
    fill(this.root, this.#rewrite(), stages.map((stage, at) => this.#stage(stage, at)), this.#end(stages.length));
    for (const area of this.root.querySelectorAll("textarea")) grow(area);
    if (this.marked) this.root.querySelector(`[data-path="${CSS.escape(this.marked)}"]:not(.problems-here)`)?.classList.add("is-returned");
    this.showChanges();
  }

  /** Put the caret into the field of a path. */
  focus(path) {
    const field = this.root.querySelector(`[data-path="${CSS.escape(path)}"]:is(input, textarea, button)`);
    if (!field) return false;
    field.focus();
    field.setSelectionRange?.(field.value.length, field.value.length);
    field.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** Follow typed text a moment later, without drawing the fields again. */
  showChangesSoon() {
    clearTimeout(this.following);
    this.following = setTimeout(() => this.showChanges(), FOLLOW_MS);
  }

  /** What differs from the model, and whose step it was. */
  showChanges() {
    if (!this.model) return;
    const model = plans.readable(this.model);
    const line = this.root.querySelector(".rewrite-diff");
    const isChanged = model.rewritten_query !== this.plan.rewritten_query;
    line.hidden = !isChanged;
    if (isChanged) fill(line.firstChild, showDiff(model.rewritten_query, this.plan.rewritten_query));
    for (const { before, after, newIndex, kinds } of alignSteps(model.steps, this.plan.steps)) {
      if (after) this.#showOrigin(newIndex, before, kinds, model);
    }
  }

  #showOrigin(index, before, kinds, model) {
    const place = this.root.querySelector(`.step[data-index="${index}"] .origin`);
    if (!place) return;
    const after = this.plan.steps[index];
    if (!before) return fill(place, model.steps.length ? pill(this.say("editor.added_step"), "ok") : null);
    const text = before.expert === after.expert ? null : `${this.modelName}：${before.expert}`;
    const back = kinds.includes("changed")
      ? this.#tool("↺", "editor.reset_step", () => this.#changeStep(index, before), { model: this.modelName })
      : null;
    return fill(place, text && h("span", { class: "was" }, text), back);
  }

  #rewrite() {
    const path = "$.rewritten_query";
    const area = this.#area(path, this.plan.rewritten_query, this.say("editor.rewritten_placeholder"), (text) =>
      this.#typed(plans.setRewrite(this.plan, text), path),
    );
    area.id = "plan-rewritten";
    const back = () => this.#redraw(plans.setRewrite(this.plan, this.model.rewritten_query ?? ""), path);
    return h(
      "section",
      { class: "rewrite", data: { path } },
      h("label", { for: "plan-rewritten" }, this.say("editor.rewritten_query")),
      area,
      h("div", { class: "rewrite-diff", hidden: true }, h("span"), this.#tool("↺", "editor.reset_rewrite", back, { model: this.modelName })),
      h("div", { class: "problems-here" }),
    );
  }

  #stage(stage, at) {
    const steps = stage.map(({ step, index }, place) => this.#step(step, index, { at, place, isParallel: stage.length > 1 }));
    const label = this.say("editor.stage", { number: at + 1 });
    return h("section", { class: "stage", data: { stage: at }, "aria-label": label }, h("i", { title: label }, at + 1), h("div", {}, steps));
  }

  #step(step, index, { at, place, isParallel }) {
    const path = `$.steps[${index}]`;
    const box = new ExpertBox({
      value: step.expert,
      experts: this.experts,
      say: this.say,
      path: `${path}.expert`,
      onedit: (name) => this.#typed(plans.setExpert(this.plan, index, name), `${path}.expert`, index),
      ontake: () => this.focus(`${path}.sub_questions[0]`),
    });
    const card = h(
      "article",
      { class: "step", data: { index, path, stage: at, place } },
      h(
        "div",
        { class: "step-head" },
        h("button", { type: "button", class: "grip", title: this.say("editor.drag"), "aria-label": this.say("editor.drag") }, "⠿"),
        box.node,
        h("span", { class: "badges" }),
        isParallel && h("span", { class: "parallel" }, this.say("editor.parallel")),
        h("span", { class: "origin" }),
        this.#stepTools(index, { at, isParallel, count: step.sub_questions.length }),
      ),
      h("div", { class: "problems-here", data: { path: `${path}.expert` } }),
      h("ol", { class: "subs", data: { path: `${path}.sub_questions` } }, step.sub_questions.map((text, place_) => this.#sub(text, index, place_))),
      h("div", { class: "problems-here" }),
    );
    this.#showExpert(card, step.expert);
    return card;
  }

  #stepTools(index, { at, isParallel, count }) {
    const parallel = isParallel ? "editor.own_stage" : "editor.with_previous";
    return h(
      "span",
      { class: "step-tools" },
      h("button", { type: "button", class: "add-sub", onclick: () => this.#addSub(index, count) }, "＋ ", this.say("editor.add_sub_question")),
      this.#tool("↑", "editor.step_up", () => this.#moved(plans.moveStep(this.plan, index, -1))),
      this.#tool("↓", "editor.step_down", () => this.#moved(plans.moveStep(this.plan, index, 1))),
      (isParallel || at > 0) && this.#tool(isParallel ? "⇤" : "⇉", parallel, () => this.#moved(plans.toggleParallel(this.plan, index))),
      this.#tool("✕", "editor.remove_step", () => this.#removeStep(index)),
    );
  }

  #sub(text, index, at) {
    const path = `$.steps[${index}].sub_questions[${at}]`;
    const count = () => this.plan.steps[index].sub_questions.length;
    const area = this.#area(path, text, this.say("editor.sub_question_placeholder"), (typed) =>
      this.#typed(plans.setSubQuestion(this.plan, index, at, typed), path),
    );
    area.setAttribute("aria-label", this.say("editor.sub_question", { number: at + 1 }));
    const move = (by) => this.#redraw(plans.moveSubQuestion(this.plan, index, at, by), pathOf(index, Math.min(Math.max(at + by, 0), count() - 1)));
    return h(
      "li",
      { data: { path } },
      h("span", { class: "number" }, at + 1),
      area,
      h(
        "span",
        { class: "sub-tools" },
        this.#tool("↑", "editor.sub_up", () => move(-1)),
        this.#tool("↓", "editor.sub_down", () => move(1)),
        this.#tool("✕", "editor.remove_sub_question", () => this.#removeSub(index, at)),
      ),
      h("div", { class: "problems-here" }),
    );
  }

  #end(count) {
    return h(
      "div",
      { class: "plan-end" },
      h("button", { type: "button", class: "add-step", id: "plan-add-step", data: { path: "$.steps" }, onclick: () => this.addStep() }, "＋ ", this.say("editor.add_step"), this.keys.show("add_step")),
      count === 0 && h("p", { class: "no-steps" }, this.say("editor.no_steps")),
      h("div", { class: "problems-here", data: { path: "$.steps" } }),
    );
  }

  #area(path, value, placeholder, onedit) {
    return h("textarea", {
      rows: 1,
      value,
      placeholder,
      spellcheck: "false",
      data: { path },
      oninput: (event) => {
        grow(event.target);
        onedit(event.target.value);
      },
    });
  }

  #tool(sign, words, onclick, values = {}) {
    const label = this.say(words, values);
    return h("button", { type: "button", class: "tool", title: label, "aria-label": label, onclick }, sign);
  }

  /** Colour and badges of a step follow its expert while it is typed. */
  #showExpert(card, name) {
    card.style.setProperty("--hue", this.hues.get(name) ?? "var(--line)");
    const badge = this.newExperts.has(name) ? pill(this.say("editor.new_expert"), "ok") : null;
    fill(card.querySelector(".badges"), badge);
  }

  addStep(after = null) {
    const { plan, index } = plans.addStep(this.plan, after);
    this.#redraw(plan, `$.steps[${index}].expert`);
  }

  #removeStep(index) {
    const next = Math.min(index, this.plan.steps.length - 2);
    this.#redraw(plans.removeStep(this.plan, index), next < 0 ? "$.steps" : `$.steps[${next}].expert`);
  }

  #addSub(index, at) {
    this.#redraw(plans.addSubQuestion(this.plan, index, at), pathOf(index, at));
  }

  #removeSub(index, at) {
    const rest = this.plan.steps[index].sub_questions.length - 1;
    this.#redraw(plans.removeSubQuestion(this.plan, index, at), rest ? pathOf(index, Math.max(at - 1, 0)) : `$.steps[${index}].expert`);
  }

  #changeStep(index, { expert, sub_questions }) {
    const steps = this.plan.steps.with(index, { ...this.plan.steps[index], expert, sub_questions });
    this.#redraw({ ...this.plan, steps }, `$.steps[${index}].expert`);
  }

  #moved({ plan, index }) {
    this.#redraw(plan, `$.steps[${index}].expert`);
  }

  #typed(plan, group, index = null) {
    this.plan = plan;
    if (index !== null) this.#showExpert(this.root.querySelector(`.step[data-index="${index}"]`), plan.steps[index].expert);
    this.change(plan, { group });
  }

  #redraw(plan, focus) {
    this.change(plan, { focus });
  }

  #onKey(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const found = /^\$\.steps\[(\d+)\](?:\.sub_questions\[(\d+)\])?/.exec(event.target.dataset?.path ?? "");
    if (!found) return;
    const index = Number(found[1]);
    const sub = found[2] === undefined ? null : Number(found[2]);
    if (!this.#stepKey(event, index, sub) && !this.#subKey(event, index, sub)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #stepKey(event, index, sub) {
    if (!event.altKey) return false;
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by && (sub === null || event.shiftKey)) this.#moved(plans.moveStep(this.plan, index, by));
    else if (event.code === "KeyP") this.#moved(plans.toggleParallel(this.plan, index));
    else if (event.key === "Enter") this.addStep(index);
    else if (event.key === "Backspace" || event.key === "Delete") this.#removeStep(index);
    else return false;
    return true;
  }

  #subKey(event, index, sub) {
    if (sub === null) return false;
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const texts = this.plan.steps[index].sub_questions;
    if (event.altKey && by) {
      const at = Math.min(Math.max(sub + by, 0), texts.length - 1);
      this.#redraw(plans.moveSubQuestion(this.plan, index, sub, by), pathOf(index, at));
    } else if (event.key === "Enter" && !event.shiftKey && !event.altKey) this.#addSub(index, sub + 1);
    else if (event.key === "Backspace" && !texts[sub] && texts.length > 1) this.#removeSub(index, sub);
    else return false;
    return true;
  }
}

function pathOf(index, at) {
  return `$.steps[${index}].sub_questions[${at}]`;
}
