/** The label page: one item on the desk, edited in the browser, kept on the server. */

import { actionButton, ago, askReason, banner, EDITOR_KEYS, layOut, leaveFieldsOnEscape, openKeySheet, speaker, timeOf } from "./desk.js";
import { Dialogue, huesOf, newExpertsOf } from "./dialogue.js";
import { fill, h, isTextField } from "./dom.js";
import { Drafts } from "./drafts.js";
import { Keys } from "./keys.js";
import { showEmpty } from "./label_empty.js";
import { openMine } from "./label_mine.js";
import { clock, Lease } from "./lease.js";
import { readable } from "./plan.js";
import { showComparison } from "./plan_compare.js";
import { wordsOfPath } from "./plan_path.js";
import { PlanEditor } from "./plan_editor.js";
import { Rewards } from "./rewards.js";
import { TraceViewer } from "./trace_viewer.js";
import { Wire } from "./wire.js";

const CHECK_PAUSE_MS = 250;
const BINDINGS = {
  submit: "Mod+Enter", adopt: "A", next: "]", later: "L", skip: "S", flag: "F", withdraw: "W", mine: "M",
  add_step: "N", focus: "I", search: "/", fold: "Z", experts: "E", guideline: "G", keys: "?", undo: "Mod+Z", redo: "Mod+Shift+Z",
};

/** Called once by the component of the page. */
export function mount(component) {
  return new LabelDesk(component);
}

class LabelDesk {
  constructor({ element, props, trigger, watch }) {
    this.root = element.querySelector(".pw-desk");
    this.say = speaker(props.words);
    this.language = props.language;
    this.wire = new Wire({ trigger, watch, props });
    this.keys = new Keys(BINDINGS, { page: "label" });
    this.parts = layOut(this.root, { className: "is-label" });
    const shared = { say: this.say, keys: this.keys };
    this.dialogue = new Dialogue(this.parts.dialogue, shared);
    this.trace = new TraceViewer(this.parts.trace, shared);
    this.editor = new PlanEditor(this.parts.editor, { ...shared, onedit: (state) => this.#onEdit(state) });
    this.rewards = new Rewards(this.parts.rewards, shared);
    this.drafts = new Drafts({ send: (message) => this.#ask("save", { ...message, query_id: this.item.query_id }), told: (news) => this.#onDraft(news) });
    this.lease = new Lease({ renew: () => this.#renew(), show: (left) => this.#showLease(left) });
    this.#buildFooter();
    this.#bindKeys();
    leaveFieldsOnEscape(this.root);
    setInterval(() => this.#showSaved(), 1000);
    this.#first();
  }

  async #first() {
    const asked = new URLSearchParams(location.search);
    const wanted = asked.get("query");
    await this.openItem(wanted ? { query_id: wanted } : {});
    if (asked.get("show") === "returned") this.#mine();
  }

  /** Take the next item, or the one of a query. */
  async openItem(message = {}) {
    const answer = await this.#try("open", message);
    if (answer) this.#show(answer);
  }

  #show(answer) {
    this.root.classList.remove("is-loading");
    if (answer.progress) this.progress = answer.progress;
    window.planwright?.refreshHeader?.();
    if (answer.item) this.#open(answer.item);
    else this.#showEmpty();
  }

  #open(item) {
    const { parts } = this;
    this.item = item;
    this.isBusy = false;
    this.isLocked = !["draft", "returned"].includes(item.state);
    this.hues = huesOf(item.expert_list);
    this.newExperts = newExpertsOf(item);
    this.candidate = Math.max(0, item.suggestions.findIndex((each) => each.id === item.suggestion_id));
    parts.empty.hidden = true;
    parts.main.hidden = false;
    clearInterval(this.looking);
    const opened = this.drafts.open(item);
    this.lease.open(item, opened.seconds);
    fill(parts.banners);
    this.editor.form.marked = item.returned?.path ?? null;
    this.saved = this.draftKind = null;
    this.#showCandidate(opened.from === "both" ? { content: item.draft, raw: null } : opened);
    this.#explainOpening(opened);
    parts.editor.inert = this.isLocked;
    this.#showActions();
    this.#check();
    scrollTo({ top: 0, behavior: "instant" });
    if (!this.isLocked) this.editor.focus(item.returned?.path ?? "$.rewritten_query");
  }

  get suggestion() {
    return this.item?.suggestions[this.candidate] ?? null;
  }

  get modelName() {
    return this.suggestion?.model || this.say("editor.model");
  }

  /** Show the chosen suggestion's trace; with `opened` the editor begins with that plan. */
  #showCandidate(opened = null) {
    const { item, suggestion, hues, newExperts } = this;
    const experts = item.expert_list.experts;
    const model = suggestion?.plan ?? suggestion?.partial_plan ?? null;
    const { dialogue, trace, editor } = this;
    dialogue.open(item, { hues, newExperts, about: this.#about() });
    trace.open({
      trace: suggestion?.trace, length: suggestion?.trace_length ?? 0, think: item.think, experts, hues,
      banned: item.banned_words, absent: this.say(suggestion ? "trace.absent" : "trace.no_suggestion"),
    });
    const begin = { experts, newExperts, hues, model, modelName: this.modelName };
    if (opened) editor.open({ ...begin, content: opened.content, raw: opened.raw });
    else editor.compareWith(begin);
    trace.setPlanExperts(this.#planExperts());
    this.#showActions();
  }

  #about() {
    const { item, suggestion, say } = this;
    const name = item.external_id ?? item.query_id.slice(-6);
    if (!suggestion) return `#${name}`;
    const count = say("dialogue.candidate", { number: this.candidate + 1, count: item.suggestions.length });
    return [`#${name}`, this.modelName, count].join(" · ");
  }

  #planExperts() {
    return new Set(readable(this.editor.state.content).steps.map((step) => step.expert).filter(Boolean));
  }

  #explainOpening(opened) {
    const { item, say, parts } = this;
    if (item.returned) parts.banners.append(this.#returnedBanner(item.returned));
    this.#showFlag();
    if (this.isLocked) parts.banners.append(banner("", say(`label.state_${item.state}`)));
    if (opened.from === "browser") {
      parts.banners.append(banner("ok", say("label.restored", { time: timeOf(opened.at, this.language) }), [], say("dialogue.close")));
      this.drafts.edited({ content: opened.content, raw: opened.raw }, this.lease.seconds);
    }
    if (opened.from === "both") {
      this.#offerBoth({ at: item.draft_saved_at, number: item.draft_number, content: item.draft }, opened);
    }
    const failure = this.suggestion?.failure;
    if (failure && !this.suggestion.plan) parts.banners.append(banner("warn", this.suggestion.failure_sentence ?? failure, [], say("dialogue.close")));
  }

  #returnedBanner(note) {
    const { say } = this;
    const path = note.path && h("button", { type: "button", class: "link", onclick: () => this.editor.focus(note.path) }, wordsOfPath(note.path, this.item.draft, say));
    const head = say("label.returned_by", { who: note.reviewer, time: timeOf(note.at, this.language) });
    return banner("warn", [h("b", {}, head), " ", note.reason_words ?? note.reason_code, " ", path, note.reason && h("p", {}, note.reason)]);
  }

  /** Two versions exist: both are shown, one is chosen, the other can be had back by undo. */
  #offerBoth(theirs, mine) {
    const { say, parts } = this;
    parts.banners.querySelector("#conflict-compare")?.closest(".banner").remove();
    const names = { before: say("label.version_saved"), after: say("label.version_mine") };
    const differences = h("div", { class: "conflict-differences", hidden: true }, showComparison(theirs.content, mine.content, { say, names, hues: this.hues }));
    const settle = (node, content) => {
      node.remove();
      this.drafts.continueFrom(theirs.number, theirs.content);
      this.editor.replace(content);
      this.drafts.edited(this.editor.state, this.lease.seconds);
      this.editor.focus();
    };
    const text = theirs.sentence ?? say("label.two_versions", { time: theirs.at ? timeOf(theirs.at, this.language) : "" });
    parts.banners.prepend(
      banner("bad", [text, differences], [
        [say("label.keep_mine"), (node) => settle(node, mine.content), "conflict-mine"],
        [say("label.take_saved"), (node) => settle(node, theirs.content), "conflict-theirs"],
        [say("label.compare"), () => (differences.hidden = !differences.hidden), "conflict-compare"],
      ]),
    );
  }

  #onEdit(state) {
    this.drafts.edited(state, this.lease.seconds);
    this.trace.setPlanExperts(this.#planExperts());
    clearTimeout(this.checking);
    this.checking = setTimeout(() => this.#check(), CHECK_PAUSE_MS);
  }

  async #check() {
    clearTimeout(this.checking);
    const { item, editor } = this;
    const { content } = editor.state;
    const message = { annotation_id: item.annotation_id, suggestion_id: this.suggestion?.id ?? null, content };
    const answer = await this.#ask("check", message).catch(() => null);
    if (!answer?.problems || item !== this.item) return;
    editor.setProblems(answer.problems);
    this.rewards.show(answer.scores, this.modelName);
  }

  async submit() {
    const { editor, drafts, item } = this;
    if (this.#isIdle()) return;
    if (editor.rawError) {
      window.planwright.notify("error", this.say("label.raw_not_json"));
      return editor.focus();
    }
    await this.#finish("submit", { content: editor.state.content }, () => {
      this.#offerWithdraw(item);
    });
    drafts.state = editor.state;
  }

  #isIdle() {
    return !this.item || this.isLocked || this.isBusy;
  }

  /** An act that ends the work on this item; the answer brings the next one. */
  async #finish(name, message, done = () => undefined) {
    const { drafts, item } = this;
    this.isBusy = true;
    this.root.classList.add("is-busy");
    clearTimeout(drafts.timer);
    if (drafts.saving) await drafts.saving;
    const answer = await this.#try(name, { ...message, annotation_id: item.annotation_id, query_id: item.query_id, number: drafts.number, seconds: this.lease.seconds });
    this.isBusy = false;
    this.root.classList.remove("is-busy");
    if (!answer) return;
    if (answer.problems) return this.#refuse(answer.problems);
    if (answer.conflict) return this.#offerBoth(answer.conflict, this.editor.state);
    if (answer.lost) return this.#lose(answer.lost);
    if (!("item" in answer)) return;
    drafts.close({ isDone: name !== "postpone" });
    this.lease.close();
    history.replaceState(null, "", location.pathname);
    this.#show(answer);
    done();
  }

  #refuse(problems) {
    this.editor.setProblems(problems);
    this.editor.problems.insist();
    this.editor.focus(problems[0]?.path);
  }

  /** Until a reviewer takes it, the submission just made can be had back. */
  #offerWithdraw(item) {
    this.lastSubmitted = item;
    this.draftKind = "submitted";
    this.#showActions();
    this.#showSaved();
  }

  async #withdraw() {
    const item = this.isLocked ? this.item : this.lastSubmitted;
    if (!item) return;
    if (this.item && !this.isLocked) await this.drafts.save();
    const answer = await this.#try("withdraw", { annotation_id: item.annotation_id, query_id: item.query_id });
    if (!answer) return;
    this.lastSubmitted = null;
    this.#show(answer);
  }

  adopt() {
    const plan = this.suggestion?.plan;
    if (!plan || this.isLocked) return;
    this.editor.replace(plan);
    this.editor.focus();
  }

  nextCandidate() {
    if (!this.item || this.item.suggestions.length < 2) return;
    this.candidate = (this.candidate + 1) % this.item.suggestions.length;
    this.#showCandidate();
    this.#check();
  }

  async #skip() {
    if (this.#isIdle()) return;
    const given = await askReason({ ...this.#reasonWords("skip"), isNeeded: false });
    if (given) await this.#finish("skip", { reason: given.reason });
  }

  async #flag() {
    if (this.#isIdle()) return;
    const given = await askReason({ ...this.#reasonWords("flag"), isNeeded: true });
    if (given) await this.#setFlag(given.reason);
  }

  /** Ask reviewers to look, or no longer (null); the work goes on. */
  async #setFlag(reason) {
    const { item } = this;
    const answer = await this.#try("flag", { annotation_id: item.annotation_id, reason });
    if (!answer || item !== this.item) return;
    item.flag = answer.flag;
    this.#showFlag();
  }

  #showFlag() {
    const { item, say, parts } = this;
    parts.banners.querySelector("#unflag")?.closest(".banner").remove();
    if (!item.flag) return;
    const text = [h("b", {}, say("label.flagged")), " ", item.flag];
    parts.banners.append(banner("", text, this.isLocked ? [] : [[say("label.unflag"), () => this.#setFlag(null), "unflag"]]));
  }

  #reasonWords(act) {
    const { say } = this;
    return { title: say(`actions.${act}`), explained: say(`label.${act}_explained`), confirm: say(`actions.${act}`), say };
  }

  async #later() {
    if (this.#isIdle()) return;
    await this.drafts.save();
    await this.#finish("postpone", {});
  }

  #mine() {
    openMine({ ask: (state) => this.#try("mine", { state }), open: (query_id) => this.#leaveFor(query_id), say: this.say, language: this.language });
  }

  async #leaveFor(query_id) {
    if (this.item && !this.isLocked) await this.drafts.save();
    this.drafts.close({ isDone: false });
    await this.openItem({ query_id });
  }

  #showEmpty() {
    this.item = null;
    this.drafts.close({ isDone: false });
    this.lease.close();
    this.parts.main.hidden = true;
    this.parts.empty.hidden = false;
    this.#showActions();
    const again = () => this.openItem();
    showEmpty(this.parts.empty, { say: this.say, progress: this.progress, again, mine: () => this.#mine() });
    clearInterval(this.looking);
    this.looking = setInterval(() => document.hidden || document.querySelector("dialog[open]") || again(), 30_000);
  }

  async #renew() {
    const answer = await this.#ask("renew", { annotation_id: this.item.annotation_id });
    if (answer.notice) this.#tell(answer.notice);
    return answer.lease_until ?? null;
  }

  #showLease(left) {
    const isLate = left < 120_000;
    this.leaseText.hidden = this.isLocked;
    this.leaseText.className = isLate ? "late" : "";
    this.leaseText.textContent = left > 0 ? this.say("status.lease", { clock: clock(left) }) : this.say("status.lease_over");
  }

  /** Somebody else has the query now; what was typed is kept on the server. */
  #lose(sentence) {
    const { say, parts, drafts } = this;
    drafts.close({ isDone: false });
    this.lease.close();
    this.isLocked = true;
    parts.editor.inert = true;
    this.#showActions();
    parts.banners.prepend(banner("bad", [sentence, " ", say("label.lost")], [[say("label.next_item"), () => this.openItem(), "next-item"]]));
  }

  #onDraft(news) {
    if (news.kind === "lost") this.#lose(news.sentence);
    if (news.kind === "conflict") this.#offerBoth(news, this.editor.state);
    if (news.kind === "failed" && news.notice) this.#tell(news.notice);
    if (news.kind === "saved") this.saved = news.at;
    this.draftKind = news.kind;
    this.#showSaved();
  }

  #showSaved() {
    const kind = this.draftKind;
    if (kind !== "submitted" && (!this.item || this.isLocked)) return fill(this.savedText);
    const text = kind === "submitted" ? this.say("label.submitted")
      : kind === "saved" && this.saved ? this.say("status.saved", { ago: ago(this.saved, this.say) })
      : kind && this.drafts.isBehind ? this.say(`status.${kind}`) : "";
    if (this.savedText.textContent !== text) this.savedText.textContent = text;
    this.savedText.className = ["waiting", "failed", "conflict"].includes(kind) ? "late" : "";
    return undefined;
  }

  #buildFooter() {
    const { say, keys, parts } = this;
    const button = (action, run, className = "") =>
      actionButton(`label-${action === "next" ? "next-candidate" : action}`, { say, keys, action, run, className });
    this.buttons = {
      submit: button("submit", () => this.submit(), "primary"),
      adopt: button("adopt", () => this.adopt()),
      next: button("next", () => this.nextCandidate()),
      later: button("later", () => this.#later()),
      skip: button("skip", () => this.#skip()),
      flag: button("flag", () => this.#flag()),
      withdraw: button("withdraw", () => this.#withdraw()),
    };
    this.leaseText = h("span", { id: "label-lease" });
    this.savedText = h("span", { id: "label-saved", role: "status" });
    fill(parts.actions, Object.values(this.buttons));
    fill(parts.status, this.savedText, this.leaseText, button("mine", () => this.#mine(), "plain"), button("keys", () => this.#showKeys(), "plain"));
  }

  #showActions() {
    const { buttons, item } = this;
    const isOpen = Boolean(item) && !this.isLocked;
    for (const action of ["submit", "later", "skip", "flag"]) buttons[action].hidden = !isOpen;
    buttons.adopt.hidden = !isOpen || !this.suggestion?.plan;
    buttons.next.hidden = !isOpen || item.suggestions.length < 2;
    buttons.withdraw.hidden = !(item && item.state === "submitted") && !this.lastSubmitted;
    buttons.withdraw.firstChild.textContent = this.say(this.isLocked ? "actions.withdraw" : "label.withdraw_last");
    buttons.adopt.firstChild.textContent = this.say("actions.adopt", { model: this.modelName });
    this.leaseText.hidden = !isOpen;
  }

  #bindKeys() {
    const { keys } = this;
    keys.on("add_step", () => this.#isIdle() ? false : this.editor.addStep());
    keys.on("focus", () => this.item ? this.editor.focus() : false);
    keys.on("search", () => this.trace.search());
    keys.on("fold", () => this.trace.toggleFold());
    keys.on("experts", () => this.dialogue.openExperts());
    keys.on("guideline", () => this.dialogue.openGuideline());
    // Inside the editor it hears these itself; another field keeps the browser's own undo.
    const mayUndo = () => !this.#isIdle() && !isTextField(document.activeElement);
    keys.on("undo", () => mayUndo() && this.editor.undo());
    keys.on("redo", () => mayUndo() && this.editor.redo());
  }

  #showKeys() {
    openKeySheet({ say: this.say, keys: this.keys, editorKeys: EDITOR_KEYS, values: { model: this.modelName } });
  }

  #tell({ kind, text }) {
    window.planwright.notify(kind, text);
  }

  /** Ask, and show what went wrong; null when nothing usable came back. */
  async #try(name, message) {
    try {
      const answer = await this.#ask(name, message);
      if (answer.notice) this.#tell(answer.notice);
      return answer.failed ? null : answer;
    } catch {
      this.#tell({ kind: "error", text: this.say("status.no_answer") });
      return null;
    }
  }

  #ask(name, message) {
    return this.wire.ask(name, message);
  }
}
