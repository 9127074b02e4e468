/** The form of a plan: its stages as a graph, the rewritten query, steps and sub-questions. */

import { alignSteps, showDiff } from "./diff.js";
import { fill, grow, h } from "./dom.js";
import * as plans from "./plan.js";
import { PlanEdits } from "./plan_edits.js";
import { PlanField } from "./plan_field.js";
import { StageGraph } from "./plan_graph.js";
import { PlanStep, tool } from "./plan_step.js";
import { makeDraggable } from "./step_drag.js";

const FOLLOW_MS = 120;
const LONG_FROM = 12; // steps; of a longer plan the browser lays out what is near the eye
const STEP_PX = 50;
const SUB_PX = 34;
const REWRITE = "$.rewritten_query";
const PLACE = /^\$\.steps\[(\d+)\](?:\.sub_questions\[(\d+)\])?(\.grip)?/;

export class PlanForm {
  /**
   * `change(plan, {group, focus, told})` takes every edit (`PlanEdits`); with `focus` the form is
   * drawn again. `about(name)` tells more of an expert.
   */
  constructor(root, { say, keys, change, about }) {
    Object.assign(this, { root, say, keys, change, about });
    this.plan = plans.EMPTY_PLAN;
    /** Paths that a reviewer named; their fields are marked. */
    this.marked = [];
    this.steps = [];
    this.graph = new StageGraph({ say, go: (index) => this.focus(`$.steps[${index}].expert`) });
    this.edits = new PlanEdits({ plan: () => this.plan, apply: (plan, how) => this.#apply(plan, how) });
    root.addEventListener("keydown", (event) => this.#onKey(event));
    root.addEventListener("focusin", ({ target }) => this.graph.root.contains(target) || this.graph.follow(placeOf(target)?.index));
    makeDraggable(root, { onstep: (index, target) => this.edits.dropStep(index, target), onsub: (from, to) => this.edits.dropSub(from, to) });
  }

  /** What the item brings: its experts, what changed of them in the list, colours, the model's plan and name. */
  begin({ experts, changes, hues, model, modelName }) {
    this.item = { experts, changes, hues, model, modelName };
  }

  /** Draw this plan from the start. */
  draw(plan) {
    clearTimeout(this.following);
    this.plan = plans.readable(plan);
    this.steps = [];
    const stages = plans.stagesOf(this.plan);
    this.graph.draw(this.plan, this.item.hues);
    this.root.classList.toggle("is-long", this.plan.steps.length > LONG_FROM);
    fill(this.root, this.#rewrite(), this.graph.root, stages.map((stage, at) => this.#stage(stage, at)), this.#end(stages.length));
    for (const area of this.root.querySelectorAll("textarea")) grow(area);
    for (const path of this.marked) this.root.querySelector(`[data-path="${CSS.escape(path)}"]:not(.problems-here)`)?.classList.add("is-returned");
    this.showChanges();
  }

  /** Put the caret into the field of a path. */
  focus(path) {
    const field = this.root.querySelector(`[data-path="${CSS.escape(path)}"]:is(input, textarea, button)`);
    if (!field) return false;
    field.focus({ preventScroll: true });
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
    const hasModel = Boolean(this.item.model);
    const model = hasModel ? plans.readable(this.item.model) : plans.EMPTY_PLAN;
    this.#showRewriteChange(hasModel ? (model.rewritten_query ?? "") : null);
    for (const { before, after, newIndex, kinds } of alignSteps(model.steps, this.plan.steps)) {
      if (after) this.steps[newIndex]?.compareWith(before, { kinds, after, hasModel: model.steps.length > 0 });
    }
  }

  #showRewriteChange(before) {
    const line = this.root.querySelector(".rewrite-diff");
    line.hidden = before === null;
    if (before === null) return;
    const isSame = before === this.plan.rewritten_query;
    line.classList.toggle("is-same", isSame);
    fill(line.firstChild, isSame ? this.say("editor.rewrite_same", { model: this.item.modelName }) : showDiff(before, this.plan.rewritten_query));
    line.lastChild.hidden = isSame;
  }

  #rewrite() {
    const field = new PlanField({
      path: REWRITE,
      value: this.plan.rewritten_query,
      placeholder: this.say("editor.rewritten_placeholder"),
      onedit: (text) => this.edits.setRewrite(text),
    });
    field.area.id = "plan-rewritten";
    const back = tool("↺", this.say("editor.reset_rewrite", { model: this.item.modelName }), () => this.#reset({ isRewrite: true }));
    return h(
      "section",
      { class: "rewrite", data: { path: REWRITE } },
      h("div", { class: "rewrite-head" }, h("label", { for: "plan-rewritten" }, this.say("editor.rewritten_query")), h("div", { class: "problems-here", data: { path: REWRITE } })),
      field.node,
      h("div", { class: "rewrite-diff", hidden: true }, h("span"), back),
    );
  }

  #stage(stage, at) {
    const label = this.say("editor.stage", { number: at + 1 });
    const { say, edits, item, about } = this;
    const cards = stage.map(({ step, index }, place) => {
      this.steps[index] = new PlanStep(step, index, { at, place, isParallel: stage.length > 1, say, edits, item, about });
      return this.steps[index].node;
    });
    return h("section", { class: "stage", style: `--height: ${heightOf(stage)}px`, data: { stage: at }, "aria-label": label }, h("i", { title: label }, at + 1), h("div", {}, cards));
  }

  #end(count) {
    return h(
      "div",
      { class: "plan-end" },
      h("button", { type: "button", class: "add-step", id: "plan-add-step", data: { path: "$.steps" }, onclick: () => this.edits.addStep() }, "＋ ", this.say("editor.add_step"), this.keys.show("add_step")),
      count === 0 && h("p", { class: "no-steps" }, this.say("editor.no_steps")),
      h("div", { class: "problems-here", data: { path: "$" } }),
    );
  }

  #apply(plan, { group = null, focus = null, told = null }) {
    if (focus === null) {
      this.plan = plan;
      const place = PLACE.exec(group);
      if (place && !place[2]) this.#showExpert(Number(place[1]));
    }
    this.change(plan, { group, focus, told });
  }

  #showExpert(index) {
    const { expert } = this.plan.steps[index];
    this.steps[index].showExpert(expert);
    this.graph.rename(index, expert, this.item.hues.get(expert));
  }

  #reset({ isRewrite, index, sub }) {
    const { model } = this.item;
    if (isRewrite && model) this.edits.resetRewrite(model.rewritten_query ?? "");
    else if (index !== undefined) this.steps[index].reset(sub);
  }

  #onKey(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const place = placeOf(event.target);
    if (!place || !this.#keyAt(event, place)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #keyAt(event, place) {
    if (event.altKey && event.code === "KeyR") this.#reset(place);
    else if (place.isRewrite) return false;
    else return this.#stepKey(event, place) || this.#subKey(event, place);
    return true;
  }

  #stepKey(event, { index, sub, isGrip }) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (isGrip && by) this.edits.moveStep(index, by, "grip");
    else if (!event.altKey) return false;
    else if (by && (sub === null || event.shiftKey)) this.edits.moveStep(index, by);
    else if (event.code === "KeyP") this.edits.toggleParallel(index);
    else if (event.key === "Enter") this.edits.addStep(index);
    else if (event.key === "Backspace" || event.key === "Delete") this.edits.removeStep(index);
    else return false;
    return true;
  }

  #subKey(event, { index, sub }) {
    if (sub === null) return false;
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const texts = this.plan.steps[index].sub_questions;
    if (event.altKey && by) this.edits.moveSub(index, sub, by);
    else if (event.key === "Enter" && !event.shiftKey && !event.altKey) this.edits.addSub(index, sub + 1);
    else if (event.key === "Backspace" && !texts[sub] && texts.length > 1) this.edits.removeSub(index, sub);
    else return false;
    return true;
  }
}

/** About how high a stage will be. */
function heightOf(stage) {
  return stage.reduce((sum, { step }) => sum + STEP_PX + SUB_PX * step.sub_questions.length, 0);
}

/** Which place of the plan a field belongs to: `{index, sub, isGrip, isRewrite}`, or null. */
function placeOf(field) {
  const path = field.dataset?.path ?? "";
  if (path === REWRITE) return { isRewrite: true, sub: null };
  const found = PLACE.exec(path);
  if (!found) return null;
  return { index: Number(found[1]), sub: found[2] === undefined ? null : Number(found[2]), isGrip: Boolean(found[3]) };
}
