/** The review page: the model's plan beside the annotator's, and a verdict. */

import { actionButton, askReason, banner, EDITOR_KEYS, layOut, leaveFieldsOnEscape, openKeySheet, speaker, timeOf } from "./desk.js";
import { Dialogue, huesOf, newExpertsOf } from "./dialogue.js";
import { fill, h, isTextField, pill } from "./dom.js";
import { Keys } from "./keys.js";
import { clock, Lease } from "./lease.js";
import { isSamePlan, readable } from "./plan.js";
import { showComparison } from "./plan_compare.js";
import { PlanEditor } from "./plan_editor.js";
import { Rewards } from "./rewards.js";
import { choosePath, wordsOfPath } from "./plan_path.js";
import { TraceViewer } from "./trace_viewer.js";
import { Wire } from "./wire.js";

const CHECK_PAUSE_MS = 250;
const FIXES = "planwright.fix.";
const BINDINGS = {
  accept: "A", accept_too: "Mod+Enter", fix: "X", return: "R", discard: "D", next: "]", skip: "S",
  search: "/", fold: "Z", experts: "E", guideline: "G", keys: "?", undo: "Mod+Z", redo: "Mod+Shift+Z",
};

/** Called once by the component of the page. */
export function mount(component) {
  return new ReviewDesk(component);
}

class ReviewDesk {
  constructor({ element, props, trigger, watch }) {
    this.root = element.querySelector(".pw-desk");
    this.say = speaker(props.words);
    this.language = props.language;
    this.reasons = props.reasons;
    this.wire = new Wire({ trigger, watch, props });
    this.keys = new Keys(BINDINGS, { page: "review" });
    this.parts = layOut(this.root, { className: "is-review" });
    const shared = { say: this.say, keys: this.keys };
    this.dialogue = new Dialogue(this.parts.dialogue, shared);
    this.trace = new TraceViewer(this.parts.trace, shared);
    this.comparison = h("div", { id: "review-comparison" });
    this.editorPlace = h("div", { id: "review-editor" });
    fill(this.parts.editor, this.comparison, this.editorPlace);
    this.editor = new PlanEditor(this.editorPlace, { ...shared, onedit: (state) => this.#onEdit(state) });
    this.rewards = new Rewards(this.parts.rewards, shared);
    this.lease = new Lease({ renew: () => this.#renew(), show: (left) => this.#showLease(left) });
    this.#buildFooter();
    this.#bindKeys();
    leaveFieldsOnEscape(this.root);
    this.takeNext();
  }

  async takeNext() {
    const wanted = new URLSearchParams(location.search).get("annotation");
    history.replaceState(null, "", location.pathname);
    const answer = await this.#try("open", wanted ? { annotation_id: wanted } : {});
    if (answer) this.#show(answer);
  }

  #show(answer) {
    this.root.classList.remove("is-loading");
    this.progress = answer.progress ?? this.progress;
    window.planwright?.refreshHeader?.();
    if (answer.item) this.#open(answer.item);
    else this.#showEmpty();
  }

  #open(item) {
    const { parts } = this;
    this.item = item;
    this.path = null;
    this.isBusy = false;
    this.hues = huesOf(item.expert_list);
    this.candidate = Math.max(0, item.suggestions.findIndex((each) => each.id === item.suggestion_id));
    parts.empty.hidden = true;
    parts.main.hidden = false;
    clearInterval(this.looking);
    this.lease.open(item);
    fill(parts.banners, item.flag && banner("warn", [h("b", {}, this.say("review.flagged")), " ", item.flag]), item.earlier_returns.map((note) => this.#earlier(note)));
    this.#showCandidate();
    const kept = keptFix(item);
    this.#setFixing(kept !== null, kept);
    this.#check();
    scrollTo({ top: 0, behavior: "instant" });
    this.parts.editor.tabIndex = -1;
    if (!this.isFixing) this.parts.editor.focus({ preventScroll: true });
  }

  get suggestion() {
    return this.item?.suggestions[this.candidate] ?? null;
  }

  get modelName() {
    return this.suggestion?.model || this.say("editor.model");
  }

  #showCandidate() {
    const { item, suggestion, hues, say } = this;
    const experts = item.expert_list.experts;
    const count = suggestion && say("dialogue.candidate", { number: this.candidate + 1, count: item.suggestions.length });
    const about = [`#${item.external_id ?? item.query_id.slice(-6)}`, suggestion && this.modelName, count].filter(Boolean).join(" · ");
    this.newExperts = newExpertsOf(item);
    this.dialogue.open(item, { hues, newExperts: this.newExperts, about });
    this.trace.open({
      trace: suggestion?.trace, length: suggestion?.trace_length ?? 0, think: item.think, experts, hues,
      banned: item.banned_words, absent: say(suggestion ? "trace.absent" : "trace.no_suggestion"),
    });
    this.trace.setPlanExperts(new Set(readable(item.plan).steps.map((step) => step.expert)));
    this.#drawComparison();
    this.#showActions();
  }

  #drawComparison() {
    const { item, suggestion, say } = this;
    const model = suggestion?.plan ?? suggestion?.partial_plan ?? null;
    const names = { before: model ? this.modelName : say("review.no_model_plan"), after: item.author ?? say("review.annotator") };
    const lead = say("review.lead", { clock: clock(item.lead_seconds * 1000) });
    const facts = [item.author, lead, timeOf(item.submitted_at, this.language)].filter(Boolean).join(" · ");
    fill(
      this.comparison,
      h("div", { class: "card-head" }, h("h3", {}, say("review.title")), h("span", { class: "right", id: "review-facts" }, facts)),
      showComparison(model ?? { steps: [] }, item.plan, { say, names, hues: this.hues, onpath: (path) => this.#choose(path) }),
      h("p", { class: "faint hint" }, say("review.choose_hint")),
    );
    this.#choose(this.path);
  }

  /** Choose the place of the plan that a return would be about; again to let it go. */
  #choose(path) {
    this.path = path === this.path && path !== null && this.isChosen ? null : path;
    this.isChosen = this.path !== null;
    for (const node of this.comparison.querySelectorAll(".is-choosable")) {
      const isOn = node.dataset.path === this.path;
      node.classList.toggle("is-chosen", isOn);
      node.setAttribute("aria-pressed", String(isOn));
    }
  }

  #earlier(note) {
    const { say } = this;
    const place = note.path && h("code", {}, wordsOfPath(note.path, this.item.plan, say));
    const head = say("review.earlier", { who: note.reviewer, time: timeOf(note.at, this.language) });
    return banner("", [h("b", {}, head), " ", this.#reasonWords(note.reason_code), " ", place, note.reason && h("p", {}, note.reason)]);
  }

  #reasonWords(code) {
    return this.reasons.find(([each]) => each === code)?.[1] ?? code;
  }

  #setFixing(isFixing, content = null) {
    this.isFixing = isFixing;
    this.comparison.hidden = isFixing;
    this.editorPlace.hidden = !isFixing;
    if (isFixing) {
      const { suggestion, hues, newExperts, item } = this;
      this.editor.open({
        content: content ?? item.plan, experts: item.expert_list.experts, newExperts, hues,
        model: item.plan, modelName: item.author ?? this.say("review.annotator"), suggestion,
      });
      this.editor.focus(this.path ?? "$.rewritten_query");
      this.#check();
    }
    this.#showActions();
  }

  #onEdit({ content }) {
    localStorage.setItem(FIXES + this.item.revision_id, JSON.stringify(content));
    clearTimeout(this.checking);
    this.checking = setTimeout(() => this.#check(), CHECK_PAUSE_MS);
  }

  get #content() {
    return this.isFixing ? this.editor.state.content : this.item.plan;
  }

  async #check() {
    const { item } = this;
    const message = { annotation_id: item.annotation_id, suggestion_id: this.suggestion?.id ?? null, content: this.#content };
    const answer = await this.wire.ask("check", message).catch(() => null);
    if (!answer?.problems || item !== this.item) return;
    this.editor.setProblems(answer.problems);
    this.rewards.show(answer.scores, this.modelName);
  }

  accept() {
    if (!this.isFixing) return this.#finish("accept", {});
    if (this.editor.rawError) return this.editor.focus();
    if (isSamePlan(this.#content, this.item.plan)) return this.#finish("accept", {});
    return this.#finish("fix", { content: this.#content });
  }

  #toggleFix() {
    if (this.isFixing) localStorage.removeItem(FIXES + this.item.revision_id);
    this.#setFixing(!this.isFixing);
    if (!this.isFixing) this.#check();
  }

  async #return() {
    const { say, item } = this;
    const place = choosePath(item.plan, this.path, say);
    const given = await askReason({
      title: say("actions.return"), explained: say("review.return_explained"), choices: this.reasons,
      isNeeded: (code) => code === "other", say, confirm: say("actions.return"), extra: place.node,
    });
    if (given) await this.#finish("return", { reason_code: given.code, reason: given.reason, path: place.value });
  }

  async #discard() {
    const { say } = this;
    const given = await askReason({ title: say("actions.discard"), explained: say("review.discard_explained"), isNeeded: true, say, confirm: say("actions.discard") });
    if (given) await this.#finish("discard", { reason: given.reason });
  }

  async #skip() {
    const { say } = this;
    const given = await askReason({ title: say("actions.skip"), explained: say("review.skip_explained"), isNeeded: false, say, confirm: say("actions.skip") });
    if (given) await this.#finish("skip", { reason: given.reason });
  }

  async #finish(name, message) {
    if (!this.item || this.isBusy) return;
    const { item, say } = this;
    this.isBusy = true;
    this.root.classList.add("is-busy");
    const answer = await this.#try(name, { ...message, annotation_id: item.annotation_id, revision_id: item.revision_id });
    this.isBusy = false;
    this.root.classList.remove("is-busy");
    if (!answer) return;
    if (answer.problems) {
      this.#setFixing(true, this.#content);
      this.editor.setProblems(answer.problems);
      this.editor.problems.insist();
      return;
    }
    if (!("item" in answer)) return;
    localStorage.removeItem(FIXES + item.revision_id);
    this.lease.close();
    window.planwright.notify("done", say(`review.done_${name}`));
    this.#show(answer);
  }

  #showEmpty() {
    const { say, parts } = this;
    this.item = null;
    this.lease.close();
    parts.main.hidden = true;
    parts.empty.hidden = false;
    this.#showActions();
    const labels = this.progress?.open_labels ?? 0;
    fill(
      parts.empty,
      h(
        "div",
        { class: "empty-card" },
        h("div", { class: "empty-sign", "aria-hidden": "true" }, "✓"),
        h("h2", {}, say("review.empty")),
        h("p", {}, say("review.empty_explained")),
        labels > 0 && pill(say("review.open_labels", { count: labels })),
        h("div", { class: "empty-actions" },
          h("button", { type: "button", class: "action primary", id: "empty-again", onclick: () => this.takeNext() }, say("empty.again")),
          h("a", { class: "action", href: `/${this.language}/label` }, say("review.go_label"))),
      ),
    );
    clearInterval(this.looking);
    this.looking = setInterval(() => document.hidden || this.takeNext(), 30_000);
  }

  async #renew() {
    const answer = await this.wire.ask("renew", { annotation_id: this.item.annotation_id });
    if (answer.notice) this.#tell(answer.notice);
    return answer.lease_until ?? null;
  }

  #showLease(left) {
    this.leaseText.className = left < 120_000 ? "late" : "";
    this.leaseText.textContent = left > 0 ? this.say("status.lease", { clock: clock(left) }) : this.say("status.lease_over");
  }

  #buildFooter() {
    const { say, keys, parts } = this;
    const button = (action, run, className = "") => actionButton(`review-${action}`, { say, keys, action, run, className });
    this.buttons = {
      accept: button("accept", () => this.accept(), "primary"),
      fix: button("fix", () => this.#toggleFix()),
      return: button("return", () => this.#return()),
      discard: button("discard", () => this.#discard()),
      next: button("next", () => this.#nextCandidate()),
      skip: button("skip", () => this.#skip()),
    };
    this.leaseText = h("span", { id: "review-lease" });
    fill(parts.actions, Object.values(this.buttons));
    fill(parts.status, this.leaseText, button("keys", () => openKeySheet({ say, keys, editorKeys: EDITOR_KEYS }), "plain"));
  }

  #nextCandidate() {
    if ((this.item?.suggestions.length ?? 0) < 2) return;
    this.candidate = (this.candidate + 1) % this.item.suggestions.length;
    this.#showCandidate();
    this.#check();
  }

  #showActions() {
    const { buttons, item, say } = this;
    for (const button of Object.values(buttons)) button.hidden = !item;
    buttons.next.hidden = !item || item.suggestions.length < 2;
    fill(buttons.accept.firstChild, say(this.isFixing ? "actions.fix_and_accept" : "actions.accept"));
    buttons.accept.lastChild.replaceWith(this.keys.show(this.isFixing ? "accept_too" : "accept"));
    fill(buttons.fix.firstChild, say(this.isFixing ? "actions.stop_fixing" : "actions.fix"));
    this.leaseText.hidden = !item;
  }

  #bindKeys() {
    const { keys } = this;
    keys.on("accept_too", () => (this.item ? this.accept() : false));
    keys.on("search", () => this.trace.search());
    keys.on("fold", () => this.trace.toggleFold());
    keys.on("experts", () => this.dialogue.openExperts());
    keys.on("guideline", () => this.dialogue.openGuideline());
    const mayUndo = () => this.isFixing && !isTextField(document.activeElement);
    keys.on("undo", () => mayUndo() && this.editor.undo());
    keys.on("redo", () => mayUndo() && this.editor.redo());
  }

  #tell({ kind, text }) {
    window.planwright.notify(kind, text);
  }

  async #try(name, message) {
    try {
      const answer = await this.wire.ask(name, message);
      if (answer.notice) this.#tell(answer.notice);
      return answer.failed ? null : answer;
    } catch {
      this.#tell({ kind: "error", text: this.say("status.no_answer") });
      return null;
    }
  }
}

/** A fix that was begun here and not handed in, for example before a reload. */
function keptFix(item) {
  try {
    const content = JSON.parse(localStorage.getItem(FIXES + item.revision_id));
    return content && !isSamePlan(content, item.plan) ? content : null;
  } catch {
    return null;
  }
}
