/** One step of the form: its expert, its sub-questions, and how it differs from the model's. */

import { alignTexts } from "./diff.js";
import { fill, h, pill } from "./dom.js";
import { ExpertBox } from "./expert_box.js";
import { changePill } from "./list_changes.js";
import { PlanField } from "./plan_field.js";

export class PlanStep {
  /** `edits`: what its fields and buttons do; `item`: experts, what changed of them, colours; `about(name)` tells more of one. */
  constructor(step, index, { at, place, isParallel, say, edits, item, about }) {
    Object.assign(this, { step, index, say, edits, item, about });
    this.path = `$.steps[${index}]`;
    this.badges = h("span", { class: "badges" });
    this.origin = h("span", { class: "origin" });
    this.fields = step.sub_questions.map((text, sub) => this.#field(text, sub));
    this.node = h(
      "article",
      { class: "step", data: { index, path: this.path, stage: at, place } },
      h(
        "div",
        { class: "step-head" },
        this.#grip(),
        this.#expertBox().node,
        this.badges,
        isParallel && h("span", { class: "parallel" }, say("editor.parallel")),
        this.origin,
        h("div", { class: "problems-here", data: { path: this.path } }),
        this.#tools({ at, isParallel }),
      ),
      h("ol", { class: "subs" }, this.fields.map((field, sub) => this.#sub(field, sub))),
    );
    this.showExpert(step.expert);
  }

  /** Colour, badges and links follow the expert while it is typed. */
  showExpert(name) {
    this.node.style.setProperty("--hue", this.item.hues.get(name) ?? "var(--pw-line)");
    this.node.dataset.expert = name;
    fill(this.badges, changePill(this.item.changes.get(name), this.say, this.about && (() => this.about(name))));
  }

  /** Against the step of the model that it came from; without one (null) it is the person's own. */
  compareWith(before, { kinds, after, hasModel }) {
    const texts = before ? alignTexts(before.sub_questions, after.sub_questions) : [];
    this.fields.forEach((field, at) => {
      field.compareWith(texts[at] ?? null);
      field.back.hidden = !field.isChanged;
      if (field.isChanged) field.back.title = this.say("editor.reset_sub", { model: this.item.modelName, text: field.before });
    });
    const isOther = before && before.expert !== after.expert;
    const key = JSON.stringify([before?.expert, isOther, kinds, hasModel, this.item.modelName]);
    this.before = kinds.includes("changed") ? before : null;
    if (key === this.originKey) return;
    this.originKey = key;
    fill(
      this.origin,
      !before && hasModel && pill(this.say("editor.added_step"), "ok"),
      isOther && h("span", { class: "was", title: `${this.item.modelName}：${before.expert}` }, `${this.item.modelName}：${before.expert}`),
      this.before && tool("↺", this.say("editor.reset_step", { model: this.item.modelName }), () => this.reset()),
    );
  }

  /** Back to the model's: the whole step, or one of its sub-questions. */
  reset(sub = null) {
    const field = this.fields[sub];
    if (field?.isChanged) this.edits.resetSub(this.index, sub, field.before);
    else if (sub === null && this.before) this.edits.resetStep(this.index, this.before);
  }

  #grip() {
    const label = this.say("editor.drag", { number: this.index + 1 });
    return h("button", { type: "button", class: "grip", title: label, "aria-label": label, data: { path: `${this.path}.grip` } }, "⠿");
  }

  #expertBox() {
    const { index, edits, item, say, path } = this;
    return new ExpertBox({
      value: this.step.expert,
      experts: item.experts,
      changes: item.changes,
      say,
      path: `${path}.expert`,
      onedit: (name) => edits.setExpert(index, name),
      ontake: () => this.fields[0]?.area.focus(),
    });
  }

  #tools({ at, isParallel }) {
    const { index, edits, say } = this;
    const parallel = say(isParallel ? "editor.own_stage" : "editor.with_previous");
    return h(
      "span",
      { class: "step-tools" },
      h("button", { type: "button", class: "add-sub", onclick: () => edits.addSub(index, this.fields.length) }, "＋ ", say("editor.add_sub_question")),
      tool("↑", say("editor.step_up"), () => edits.moveStep(index, -1)),
      tool("↓", say("editor.step_down"), () => edits.moveStep(index, 1)),
      (isParallel || at > 0) && tool(isParallel ? "⇤" : "⇉", parallel, () => edits.toggleParallel(index)),
      tool("✕", say("editor.remove_step"), () => edits.removeStep(index)),
    );
  }

  #field(text, at) {
    const field = new PlanField({
      path: `${this.path}.sub_questions[${at}]`,
      value: text,
      placeholder: this.say("editor.sub_question_placeholder"),
      onedit: (typed) => this.edits.setSub(this.index, at, typed),
    });
    field.area.setAttribute("aria-label", this.say("editor.sub_question_of", { number: at + 1, step: this.index + 1 }));
    field.back = tool("↺", this.say("editor.reset_sub_question", { model: this.item.modelName }), () => this.reset(at), { tabindex: -1, hidden: true });
    return field;
  }

  #sub(field, at) {
    const { index, edits, say } = this;
    const path = field.area.dataset.path;
    // Keys do the same from within the field, so these are no stops of Tab.
    const quiet = (sign, words, run) => tool(sign, say(words), run, { tabindex: -1 });
    return h(
      "li",
      { data: { path } },
      h("button", { type: "button", class: "number", tabindex: -1, title: say("editor.drag_sub"), "aria-label": say("editor.drag_sub_number", { number: at + 1 }) }, at + 1),
      field.node,
      h(
        "span",
        { class: "sub-tools" },
        field.back,
        quiet("↑", "editor.sub_up", () => edits.moveSub(index, at, -1)),
        quiet("↓", "editor.sub_down", () => edits.moveSub(index, at, 1)),
        quiet("✕", "editor.remove_sub_question", () => edits.removeSub(index, at)),
      ),
      h("div", { class: "problems-here", data: { path } }),
    );
  }
}

/** A small button that shows a sign and says its words. */
export function tool(sign, label, onclick, attributes = {}) {
  return h("button", { type: "button", class: "tool", title: label, "aria-label": label, onclick, ...attributes }, sign);
}
