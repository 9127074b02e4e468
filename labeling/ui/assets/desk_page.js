/** What a label page and a review page do alike: ask the server, show an item, keep the lease. */

import { PANEL_KEYS } from "./comment_panel.js";
import { Comments } from "./comments.js";
import { EDITOR_KEYS, layOut, leaveFieldsOnEscape, speaker } from "./desk.js";
import { Dialogue, huesOf } from "./dialogue.js";
import { isTextField } from "./dom.js";
import { linkExperts } from "./expert_links.js";
import { openKeySheet } from "./key_sheet.js";
import { Keys } from "./keys.js";
import { clock, Lease } from "./lease.js";
import { changesOf } from "./list_changes.js";
import { readable } from "./plan.js";
import { Rewards } from "./rewards.js";
import { atRest } from "./slices.js";
import { TraceViewer } from "./trace_viewer.js";
import { Wire } from "./wire.js";

const CHECK_PAUSE_MS = 250;
const REST_WITHIN_MS = 400;
const LOOK_AGAIN_MS = 30_000;

export class DeskPage {
  constructor({ element, props, trigger, watch }, { page }) {
    this.root = element.querySelector(".pw-desk");
    this.say = speaker(props.words);
    this.language = props.language;
    this.reasons = props.reasons;
    this.wire = new Wire({ trigger, watch, props });
    this.keys = new Keys(props.keys);
    this.parts = layOut(this.root, { className: `is-${page}` });
    this.dialogue = new Dialogue(this.parts.dialogue, this);
    this.trace = new TraceViewer(this.parts.trace, this);
    this.rewards = new Rewards(this.parts.rewards, this);
    this.comments = new Comments(this, { name: page });
    this.lease = new Lease({ renew: () => this.renew(), show: (left) => this.showLease(left) });
    leaveFieldsOnEscape(this.root);
    linkExperts({ root: this.root, trace: this.trace, plan: this.parts.editor, show: () => this.editor.show("form") });
  }

  /** The suggestion that is shown beside the plan. */
  get suggestion() {
    return this.item?.suggestions[this.candidate] ?? null;
  }

  get modelName() {
    return this.suggestion?.model || this.say("editor.model");
  }

  /** The model's plan, or what there is of one. */
  get modelPlan() {
    return this.suggestion?.plan ?? this.suggestion?.partial_plan ?? null;
  }

  /** An answer with an item in it, or with none. */
  show(answer) {
    this.root.classList.remove("is-loading");
    this.progress = answer.progress ?? this.progress;
    this.paused = answer.paused ? window.planwright.local(answer.paused) : null;
    window.planwright?.refreshHeader?.();
    clearInterval(this.looking);
    this.parts.empty.hidden = Boolean(answer.item);
    this.parts.main.hidden = !answer.item;
    if (answer.item) this.openItem(answer.item);
    else this.openNothing();
    this.comments.begin(answer.item);
  }

  /** Lay an item on the desk. */
  begin(item) {
    this.item = item;
    this.isBusy = false;
    this.rewards.clear();
    this.hues = huesOf(item.expert_list);
    this.changes = changesOf(item);
    this.candidate = Math.max(0, item.suggestions.findIndex((each) => each.id === item.suggestion_id));
    scrollTo({ top: 0, behavior: "instant" });
  }

  /** Nothing to do: look again by itself from time to time. */
  lookAgain(look) {
    this.item = null;
    this.lease.close();
    this.looking = setInterval(() => document.hidden || document.querySelector("dialog[open]") || look(), LOOK_AGAIN_MS);
  }

  /** The dialogue, and the trace of the shown suggestion with the experts of `plan` in it. */
  showAround(planExperts) {
    const { item, suggestion, hues, changes, say } = this;
    this.dialogue.open(item, { hues, changes, about: this.about() });
    this.trace.open({
      trace: suggestion?.trace, length: suggestion?.trace_length ?? 0, think: item.think,
      experts: item.expert_list.experts, planned: expertsOf(this.modelPlan ?? {}), hues, banned: item.banned_words,
      absent: say(suggestion ? "trace.absent" : "trace.no_suggestion"),
    });
    this.trace.setPlanExperts(planExperts);
    this.comments.follow();
  }

  about() {
    const { item, suggestion, say } = this;
    const name = `#${item.external_id ?? item.query_id.slice(-6)}`;
    const batch = item.due_on ? say("dialogue.batch_due", { batch: item.batch, day: item.due_on }) : item.batch;
    const count = suggestion && say("dialogue.candidate", { number: this.candidate + 1, count: item.suggestions.length });
    return [name, batch, suggestion && this.modelName, count].filter(Boolean).join(" · ");
  }

  /** Show the next suggestion; `redraw` shows it. */
  nextCandidate(redraw) {
    if ((this.item?.suggestions.length ?? 0) < 2) return;
    this.candidate = (this.candidate + 1) % this.item.suggestions.length;
    redraw();
    this.check();
  }

  /** Judge the plan a moment after the last key. */
  checkSoon() {
    clearTimeout(this.checking);
    this.checking = setTimeout(() => this.check(), CHECK_PAUSE_MS);
  }

  /** Judge the plan once the item is on screen. */
  checkAtRest() {
    clearTimeout(this.checking);
    const { item } = this;
    atRest(() => item === this.item && this.check(), REST_WITHIN_MS);
  }

  /** Problems and scores of the plan on the desk. */
  async check() {
    clearTimeout(this.checking);
    const { item, editor } = this;
    const answer = await this.judge(this.suggestion?.id ?? null);
    if (!answer?.problems || item !== this.item) return;
    editor.setProblems(answer.problems);
    this.rewards.show(answer.scores, this.modelName);
  }

  /** What the server says of the plan on the desk beside a suggestion; null when it does not answer. */
  judge(suggestion_id) {
    return this.ask("check", { annotation_id: this.item.annotation_id, suggestion_id, content: this.content }).catch(() => null);
  }

  /** An act that ends the work on this item: the answer, or null when the work goes on. */
  async end(name, message) {
    this.isBusy = true;
    this.root.classList.add("is-busy");
    const answer = await this.attempt(name, { ...message, annotation_id: this.item.annotation_id });
    this.isBusy = false;
    this.root.classList.remove("is-busy");
    return answer;
  }

  bindSharedKeys({ mayUndo }) {
    const { keys } = this;
    keys.on("search", () => this.trace.search());
    keys.on("fold", () => this.trace.toggleFold());
    keys.on("experts", () => this.dialogue.openExperts());
    keys.on("guideline", () => this.dialogue.openGuideline());
    // Inside the editor it hears these itself; another field keeps the browser's own undo.
    const isFree = () => mayUndo() && !isTextField(document.activeElement);
    keys.on("undo", () => isFree() && this.editor.undo());
    keys.on("redo", () => isFree() && this.editor.redo());
  }

  /** Every key of the page; each person may have others. */
  showKeys() {
    const { say, keys } = this;
    const group = (name, list) => [say(`keys.${name}`), list.map(([key, words]) => [key, say(`keys.${words}`)])];
    openKeySheet({
      say, keys, save: (choice) => this.#saveKey(choice),
      nameOfAction: (action) => say(`actions.${action}`, { model: this.modelName }),
      groups: [group("editor", EDITOR_KEYS), group("comments", PANEL_KEYS)],
    });
  }

  async #saveKey(choice) {
    const answer = await this.ask("keys", choice).catch(() => null);
    return answer?.keys ? answer : { sentence: answer?.notice.text ?? this.say("status.no_answer") };
  }

  async renew() {
    const answer = await this.ask("renew", { annotation_id: this.item.annotation_id });
    if (answer.notice) this.tell(answer.notice);
    return answer.lease_until ?? null;
  }

  showLease(left) {
    this.leaseText.className = left < 120_000 ? "late" : "";
    this.leaseText.textContent = left > 0 ? this.say("status.lease", { clock: clock(left) }) : this.say("status.lease_over");
  }

  tell({ kind, text }) {
    window.planwright.notify(kind, text);
  }

  ask(name, message) {
    return this.wire.ask(name, message);
  }

  /** Ask, and show what went wrong; null when nothing usable came back. */
  async attempt(name, message) {
    try {
      const answer = await this.ask(name, message);
      if (answer.notice) this.tell(answer.notice);
      return answer.failed ? null : answer;
    } catch {
      this.tell({ kind: "error", text: this.say("status.no_answer") });
      return null;
    }
  }
}

/** The names of the experts that a plan calls. */
export function expertsOf(plan) {
  return new Set(readable(plan).steps.map((step) => step.expert).filter(Boolean));
}
