/** All suggestions for one query beside the plan: what differs is marked, and any part can be taken over. */

import { showDiff } from "./diff.js";
import { fill, h, openDialog, pill } from "./dom.js";
import { isSamePlan, readable, setRewrite } from "./plan.js";
import { rowsOf, takeStep } from "./plan_merge.js";
import { figure } from "./rewards.js";

/**
 * `suggestions` as the item has them; `plan()` the plan on the desk; `replace(plan)` one step that can
 * be undone; `undo()`, `redo()`; `totals(id)` resolves with what the rewards say of a suggestion, or null.
 */
export function openCandidates(desk) {
  const view = new Candidates(desk);
  view.open();
}

class Candidates {
  constructor({ suggestions, hues, say, keys, plan, replace, undo, redo, totals }) {
    Object.assign(this, { suggestions, hues, say, keys, plan, replace, undo, redo, totals });
    this.others = suggestions.map((each) => each.plan ?? each.partial_plan ?? { steps: [] });
    this.known = new Map();
    this.table = h("div", { class: "candidates" });
    this.told = h("p", { class: "only-heard", role: "status" });
  }

  open() {
    const { say } = this;
    this.undoButton = h("button", { type: "button", class: "action", id: "candidates-undo", onclick: () => this.#goBack(this.undo) }, say("editor.undo"), this.keys.show("undo"));
    const dialog = openDialog({
      title: say("candidates.title", { number: this.suggestions.length }),
      className: "wide",
      closeLabel: say("dialogue.close"),
      body: [h("p", { class: "faint" }, say("candidates.explained")), this.table, this.told],
      buttons: [h("button", { type: "button", class: "action primary", id: "candidates-done", onclick: () => dialog.close() }, say("candidates.done")), this.undoButton],
    });
    dialog.addEventListener("keydown", (event) => this.#onKey(event));
    this.#draw();
    this.#ask();
    this.table.querySelector("button")?.focus();
  }

  /** Take a part over; the same button keeps the caret. */
  #take(plan, act, words, values) {
    this.replace(plan);
    this.#changed(act);
    this.told.textContent = this.say(words, values);
  }

  #goBack(move) {
    move();
    this.#changed(null);
  }

  #changed(act) {
    this.#draw();
    (this.table.querySelector(`[data-act="${act}"]:enabled`) ?? this.undoButton).focus();
    this.#ask();
  }

  /** What the rewards say of each suggestion, with the plan on the desk as the truth. */
  async #ask() {
    const asked = (this.asked = this.plan());
    for (const { id } of this.suggestions) {
      const total = await this.totals(id);
      if (asked !== this.asked || !this.table.isConnected) return;
      this.known.set(id, total);
      const place = this.table.querySelector(`[data-total="${CSS.escape(id)}"]`);
      if (place) fill(place, this.#total(id));
    }
  }

  #total(id) {
    const total = this.known.get(id) ?? null;
    return this.say("candidates.total", { total: figure(total) });
  }

  #draw() {
    const { say, others } = this;
    const mine = readable(this.plan());
    const rows = rowsOf(mine, others);
    const firstExtra = rows.findIndex(({ index }) => index === null);
    this.table.style.setProperty("--columns", others.length + 1);
    fill(
      this.table,
      h("div", { class: "row head" }, this.#mineHead(mine), others.map((_, at) => this.#head(at, mine))),
      h("div", { class: "row" }, this.#mineRewrite(mine), others.map((_, at) => this.#rewrite(at, mine))),
      rows.map((row, at) => [
        at === firstExtra && h("h3", { class: "extra" }, say("candidates.only_others")),
        h("div", { class: "row" }, this.#mineStep(row, mine), row.cells.map((cell, column) => this.#theirs(cell, column, row, mine))),
      ]),
    );
  }

  #mineHead(mine) {
    const count = this.say("candidates.steps", { number: mine.steps.length });
    return h("div", { class: "cell" }, h("h3", {}, this.say("editor.yours")), h("div", { class: "about" }, count));
  }

  #head(at, mine) {
    const { say, others } = this;
    const { id, model, trace_length: length, plan, failure_sentence: failure } = this.suggestions[at];
    const name = [model || say("editor.model"), say("candidates.candidate", { number: at + 1 })].join(" · ");
    const twin = others.findIndex((each) => isSamePlan(readable(each), readable(others[at])));
    const isSame = isSamePlan(readable(others[at]), mine);
    const adopt = () => this.#take(plan, `adopt-${at}`, "candidates.told_plan", { number: at + 1 });
    return h(
      "div",
      { class: "cell" },
      h("h3", {}, name),
      h("div", { class: "about" }, say("candidates.steps", { number: readable(others[at]).steps.length }), " · ", say("candidates.length", { length: length.toLocaleString() }), " · ", h("span", { data: { total: id }, title: say("candidates.total_explained") }, this.#total(id))),
      failure && !plan && h("p", { class: "problem" }, failure),
      h(
        "div",
        { class: "about" },
        h("button", { type: "button", class: "small", data: { act: `adopt-${at}` }, disabled: !plan || isSame, onclick: adopt }, say("candidates.adopt")),
        isSame && pill(say("candidates.same_as_mine"), "ok"),
        !isSame && twin < at && pill(say("candidates.same_as", { number: twin + 1 })),
      ),
    );
  }

  #mineRewrite(mine) {
    return h("div", { class: "cell" }, h("h4", {}, this.say("editor.rewritten_query")), h("p", {}, mine.rewritten_query || h("em", {}, this.say("compare.empty"))));
  }

  #rewrite(at, mine) {
    const text = readable(this.others[at]).rewritten_query;
    const take = () => this.#take(setRewrite(this.plan(), text), `rewrite-${at}`, "candidates.told_rewrite", { number: at + 1 });
    if (!text) return h("div", { class: "cell is-absent" }, this.say("compare.empty"));
    return h(
      "div",
      { class: "cell" },
      h("h4", {}, this.say("editor.rewritten_query")),
      h("p", {}, showDiff(mine.rewritten_query, text)),
      text !== mine.rewritten_query && this.#takeButton("candidates.take_rewrite", `rewrite-${at}`, take),
    );
  }

  #mineStep({ index, shared }, mine) {
    if (index === null) return h("div", { class: "cell is-absent" }, this.say("candidates.not_mine"));
    const agreed = pill(this.say("candidates.shared", { shared, number: this.others.length }), shared ? "" : "warn", { title: this.say("candidates.shared_explained") });
    return this.#card(mine.steps[index], { name: mine.steps[index].expert, texts: mine.steps[index].sub_questions, extra: agreed });
  }

  #theirs(cell, column, { index, shared }, mine) {
    const { say } = this;
    if (cell === null) return h("div", { class: "cell is-absent" }, say(index === null ? "candidates.not_here" : "candidates.left_out"));
    const step = readable(this.others[column]).steps[cell];
    const own = index === null ? null : mine.steps[index];
    const isSame = own && own.expert === step.expert && isSamePlan(own.sub_questions, step.sub_questions);
    const act = `step-${column}-${cell}`;
    const take = () => this.#take(takeStep(this.plan(), this.others[column], cell, index), act, "candidates.told_step", { number: column + 1, expert: step.expert });
    const texts = step.sub_questions.map((text, at) => (own ? showDiff(own.sub_questions[at] ?? "", text) : text));
    const name = own && own.expert !== step.expert ? [h("del", {}, own.expert), " ", h("ins", {}, step.expert)] : step.expert;
    const moved = own && own.order !== step.order && pill(say("editor.stage", { number: step.order }), "warn");
    const extra = [moved, index === null && shared > 1 && pill(say("candidates.shared", { shared, number: this.others.length }))];
    const button = isSame ? null : this.#takeButton(own ? "candidates.take_step" : "candidates.add_step", act, take);
    return this.#card(step, { name, texts, extra, button });
  }

  #card(step, { name, texts, extra, button = null }) {
    const card = h(
      "div",
      { class: "cell step" },
      h("div", { class: "step-head" }, h("span", { class: "order", title: this.say("editor.stage", { number: step.order }) }, step.order), h("b", {}, name), extra),
      h("ol", { class: "subs" }, texts.map((text, at) => h("li", {}, h("span", { class: "number" }, at + 1), h("span", {}, text)))),
      button,
    );
    card.style.setProperty("--hue", this.hues.get(step.expert) ?? "var(--pw-line)");
    return card;
  }

  #takeButton(words, act, run) {
    return h("button", { type: "button", class: "small take", data: { act }, onclick: run }, this.say(words));
  }

  #onKey(event) {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return;
    if (key === "z") this.#goBack(event.shiftKey ? this.redo : this.undo);
    else if (key === "y") this.#goBack(this.redo);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
