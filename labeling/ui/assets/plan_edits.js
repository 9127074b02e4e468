/** What people do to a plan in its form: each edit makes a new plan and says where the caret goes. */

import * as plans from "./plan.js";

export class PlanEdits {
  /**
   * `plan()` is the plan as it stands; `apply(plan, {group, focus, told})` takes the next one: `group`
   * names the field typed in, `focus` the path of the caret after the form is drawn again, `told`
   * what a screen reader hears (`[words, values]`).
   */
  constructor({ plan, apply }) {
    Object.assign(this, { current: plan, apply });
  }

  get plan() {
    return this.current();
  }

  setRewrite(text) {
    this.apply(plans.setRewrite(this.plan, text), { group: "$.rewritten_query" });
  }

  resetRewrite(text) {
    this.apply(plans.setRewrite(this.plan, text), { focus: "$.rewritten_query" });
  }

  setExpert(index, name) {
    this.apply(plans.setExpert(this.plan, index, name), { group: expertOf(index) });
  }

  setSub(index, at, text) {
    this.apply(plans.setSubQuestion(this.plan, index, at, text), { group: subOf(index, at) });
  }

  resetSub(index, at, text) {
    this.apply(plans.setSubQuestion(this.plan, index, at, text), { focus: subOf(index, at) });
  }

  addSub(index, at) {
    this.apply(plans.addSubQuestion(this.plan, index, at), { focus: subOf(index, at) });
  }

  removeSub(index, at) {
    const rest = this.plan.steps[index].sub_questions.length - 1;
    const focus = rest ? subOf(index, Math.max(at - 1, 0)) : expertOf(index);
    this.apply(plans.removeSubQuestion(this.plan, index, at), { focus });
  }

  moveSub(index, at, by) {
    const last = this.plan.steps[index].sub_questions.length - 1;
    const place = Math.min(Math.max(at + by, 0), last);
    this.apply(plans.moveSubQuestion(this.plan, index, at, by), { focus: subOf(index, place), told: toldOfSub(index, place) });
  }

  /** Drop a sub-question before the one at `to.at` of step `to.index`, counted before the move. */
  dropSub(from, to) {
    const { plan, at } = plans.dropSubQuestion(this.plan, from, to);
    this.apply(plan, { focus: subOf(to.index, at), told: toldOfSub(to.index, at) });
  }

  addStep(after = null) {
    const { plan, index } = plans.addStep(this.plan, after);
    this.apply(plan, { focus: expertOf(index) });
  }

  removeStep(index) {
    const next = Math.min(index, this.plan.steps.length - 2);
    this.apply(plans.removeStep(this.plan, index), { focus: next < 0 ? "$.steps" : expertOf(next) });
  }

  resetStep(index, { expert, sub_questions }) {
    const steps = this.plan.steps.with(index, { ...this.plan.steps[index], expert, sub_questions });
    this.apply({ ...this.plan, steps }, { focus: expertOf(index) });
  }

  /** Move a step by keys or buttons; `part` is the field of it that keeps the caret. */
  moveStep(index, by, part = "expert") {
    this.#moved(plans.moveStep(this.plan, index, by), part);
  }

  toggleParallel(index) {
    this.#moved(plans.toggleParallel(this.plan, index));
  }

  dropStep(index, target) {
    this.#moved(plans.dropStep(this.plan, index, target), "grip");
  }

  #moved({ plan, index }, part = "expert") {
    const { expert, order } = plan.steps[index];
    const told = ["editor.told_step", { expert: expert || "–", number: index + 1, stage: order }];
    this.apply(plan, { focus: `$.steps[${index}].${part}`, told });
  }
}

function expertOf(index) {
  return `$.steps[${index}].expert`;
}

function subOf(index, at) {
  return `$.steps[${index}].sub_questions[${at}]`;
}

function toldOfSub(index, at) {
  return ["editor.told_sub", { number: at + 1, step: index + 1 }];
}
