/** The label page: one item on the desk, edited in the browser, kept on the server. */

import { openCandidates } from "./candidates.js";
import { actionButton, ago, askReason, timeOf, withSign } from "./desk.js";
import { DeskPage, expertsOf } from "./desk_page.js";
import { fill, h, pill } from "./dom.js";
import { Drafts } from "./drafts.js";
import { openFind } from "./find.js";
import { openHistory, originOf } from "./item_history.js";
import { LabelBanners } from "./label_banners.js";
import { showEmpty } from "./label_empty.js";
import { openMine } from "./label_mine.js";
import { PlanEditor } from "./plan_editor.js";
import { markPassages, showPassage } from "./review_banners.js";

const EDITABLE = ["draft", "returned"];

/** Called once by the component of the page. */
export function mount(component) {
  return new LabelDesk(component);
}

class LabelDesk extends DeskPage {
  constructor(component) {
    super(component, { page: "label" });
    this.editor = new PlanEditor(this.parts.editor, {
      say: this.say, keys: this.keys, onedit: (state) => this.#onEdit(state),
      about: (name) => this.dialogue.openExperts(name), candidates: () => this.#compareCandidates(),
    });
    this.banners = new LabelBanners(this.parts.banners, this);
    this.drafts = new Drafts({
      send: (message) => this.ask("save", { ...message, query_id: this.item.query_id }),
      told: (news) => this.#onDraft(news),
    });
    this.#buildFooter();
    this.#bindKeys();
    setInterval(() => this.#showSaved(), 1000);
    this.#first();
  }

  async #first() {
    const address = new URLSearchParams(location.search);
    const query_id = address.get("query");
    await this.take(query_id ? { query_id } : {});
    // A query that cannot be opened, for example because somebody else has it, is no dead end.
    if (query_id && !this.item) await this.take();
    if (address.has("show")) this.#mine(address.get("show"));
  }

  /** Take the next item, or the one of a query. */
  async take(message = {}) {
    const answer = await this.attempt("open", message);
    if (answer) this.show(answer);
  }

  openItem(item) {
    this.begin(item);
    this.isLocked = !EDITABLE.includes(item.state);
    if (this.lastSubmitted?.annotation_id === item.annotation_id) this.lastSubmitted = null;
    const opened = this.drafts.open(item);
    this.lease.open(item, opened.seconds);
    this.banners.clear();
    const places = this.#reasons.map(({ path }) => path).filter(Boolean);
    this.editor.form.marked = places;
    this.saved = this.draftKind = null;
    this.#showCandidate(opened.from === "both" ? { content: item.draft, raw: null } : opened);
    this.#explain(item, opened);
    this.parts.editor.inert = this.isLocked;
    this.checkAtRest();
    if (!this.isLocked) this.editor.focus(places[0] ?? "$.rewritten_query");
  }

  openNothing() {
    // Whoever gave an item back is leaving; the next one comes when they say so.
    const { isReleased } = this;
    this.isReleased = false;
    this.lookAgain(() => isReleased || this.take());
    this.drafts.close({ isDone: false });
    this.#showActions();
    showEmpty(this.parts.empty, { say: this.say, progress: this.progress, paused: this.paused, isReleased, again: () => this.take(), mine: () => this.#mine() });
  }

  get content() {
    return this.editor.state.content;
  }

  /** Why the item came back. */
  get #reasons() {
    return this.item.returned?.reasons ?? [];
  }

  get #passages() {
    return this.#reasons.map(({ span }) => span).filter(Boolean);
  }

  /** Show the chosen suggestion; with `opened` the editor begins with that plan. */
  #showCandidate(opened = null) {
    const { hues, changes, editor, item } = this;
    const experts = item.expert_list.experts;
    const begin = { experts, changes, hues, model: this.modelPlan, modelName: this.modelName, suggestions: item.suggestions.length };
    if (opened) editor.open({ ...begin, content: opened.content, raw: opened.raw });
    else editor.compareWith(begin);
    this.showAround(expertsOf(this.content));
    markPassages(this.#passages, this);
    this.#showActions();
  }

  async #history() {
    const { item, say, language, hues } = this;
    if (!item) return;
    const answer = await this.attempt("history", { annotation_id: item.annotation_id });
    if (answer) openHistory({ history: answer.history, origin: originOf(item, say), say, language, hues, restore: (version) => this.#restore(version) });
  }

  /** An older version comes into the draft; what is typed is saved first, and kept. */
  async #restore(version) {
    const { item, drafts } = this;
    if (!(await drafts.save())) return;
    const answer = await this.attempt("restore", { annotation_id: item.annotation_id, query_id: item.query_id, revision_id: version.id, number: drafts.number });
    if (!answer) return;
    if (answer.conflict) {
      this.#offerBoth(answer.conflict, { content: this.content });
      return;
    }
    if (answer.lost) {
      this.banners.lost(answer.lost, () => this.take());
      return;
    }
    drafts.close({ isDone: true });
    this.tell({ kind: "done", text: this.say("history.restored_done") });
    this.show(answer);
  }

  /** Everything about how this item came to look as it does. */
  #explain(item, opened) {
    const { banners, say } = this;
    if (item.returned) banners.returned(item.returned, item.draft, { goPath: (path) => this.editor.focus(path), goSpan: (span) => showPassage(span, this, this.#passages) });
    this.#showFlag();
    if (this.isLocked) banners.tell("", say(`label.state_${item.state}`));
    if (opened.from === "browser") {
      banners.tell("ok", say("label.restored", { time: timeOf(opened.at, this.language) }), { isClosable: true });
      this.drafts.edited({ content: opened.content, raw: opened.raw }, this.lease.seconds);
    }
    if (opened.from === "both") {
      this.#offerBoth({ at: item.draft_saved_at, number: item.draft_number, content: item.draft }, opened);
    }
    const failed = this.suggestion?.failure && !this.suggestion.plan;
    if (failed) banners.tell("warn", this.suggestion.failure_sentence, { isClosable: true });
  }

  #offerBoth(theirs, mine) {
    const settle = (content) => {
      this.drafts.continueFrom(theirs.number, theirs.content);
      this.editor.replace(content);
      this.drafts.edited(this.editor.state, this.lease.seconds);
      this.editor.focus();
    };
    this.banners.conflict(theirs, mine, { hues: this.hues, settle });
  }

  #onEdit(state) {
    this.drafts.edited(state, this.lease.seconds);
    this.trace.setPlanExperts(expertsOf(this.content));
    this.checkSoon();
  }

  async submit() {
    const { editor, item } = this;
    if (this.#isIdle()) return;
    if (editor.rawError) {
      this.tell({ kind: "error", text: this.say("label.raw_not_json") });
      editor.focus();
      return;
    }
    if (!(await this.#finish("submit", { content: this.content }))) return;
    this.lastSubmitted = item;
    this.draftKind = "submitted";
    this.#showActions();
    this.#showSaved();
  }

  #isIdle() {
    return !this.item || this.isLocked || this.isBusy;
  }

  /** An act that ends the work on this item and brings the next; true when it is done. */
  async #finish(name, message) {
    const { drafts, item } = this;
    clearTimeout(drafts.timer);
    if (drafts.saving) await drafts.saving;
    const answer = await this.end(name, { ...message, query_id: item.query_id, number: drafts.number, seconds: this.lease.seconds });
    if (!answer) return false;
    if (answer.problems) this.#refuse(answer.problems);
    else if (answer.conflict) this.#offerBoth(answer.conflict, this.editor.state);
    else if (answer.lost) this.#lose(answer.lost);
    else {
      drafts.close({ isDone: name !== "postpone" });
      history.replaceState(null, "", location.pathname);
      this.show(answer);
      return true;
    }
    return false;
  }

  #refuse(problems) {
    this.editor.setProblems(problems);
    this.editor.problems.insist();
    this.editor.focus(problems[0]?.path);
  }

  /** Somebody else has the query now; what was typed is kept on the server. */
  #lose(sentence) {
    this.drafts.close({ isDone: false });
    this.lease.close();
    this.isLocked = true;
    this.parts.editor.inert = true;
    this.#showActions();
    this.banners.lost(sentence, () => this.take());
  }

  async #withdraw(item = this.isLocked ? this.item : this.lastSubmitted) {
    if (!item) return;
    if (this.item && !this.isLocked) await this.drafts.save();
    const answer = await this.attempt("withdraw", { annotation_id: item.annotation_id, query_id: item.query_id });
    if (answer) this.show(answer);
  }

  #adopt() {
    const plan = this.suggestion?.plan;
    if (!plan || this.#isIdle()) return;
    this.editor.replace(plan);
    this.editor.focus();
  }

  #compareCandidates() {
    const { item, editor, hues, say, keys } = this;
    if (this.#isIdle() || item.suggestions.length < 2) return;
    openCandidates({
      suggestions: item.suggestions, hues, say, keys,
      plan: () => this.content, replace: (plan) => editor.replace(plan), undo: () => editor.undo(), redo: () => editor.redo(),
      totals: async (id) => (await this.judge(id))?.scores?.model_total ?? null,
    });
  }

  async #skip() {
    if (this.#isIdle()) return;
    const given = await askReason({ ...this.#reasonWords("skip"), isNeeded: false });
    if (given) await this.#finish("skip", { reason: given.reason });
  }

  async #later() {
    if (this.#isIdle()) return;
    await this.drafts.save();
    await this.#finish("postpone", {});
  }

  async #release() {
    if (this.#isIdle()) return;
    await this.drafts.save();
    this.isReleased = true;
    await this.#finish("release", {});
    this.isReleased = false;
  }

  async #flag() {
    if (this.#isIdle()) return;
    const given = await askReason({ ...this.#reasonWords("flag"), isNeeded: true });
    if (given) await this.#setFlag(given.reason);
  }

  #reasonWords(act) {
    const { say } = this;
    return { title: say(`actions.${act}`), explained: say(`label.${act}_explained`), confirm: say(`actions.${act}`), say };
  }

  /** Ask reviewers to look, or no longer (null); the work goes on. */
  async #setFlag(reason) {
    const { item } = this;
    const answer = await this.attempt("flag", { annotation_id: item.annotation_id, reason });
    if (!answer || item !== this.item) return;
    item.flag = answer.flag;
    this.#showFlag();
  }

  #showFlag() {
    this.banners.flag(this.item.flag, this.isLocked ? null : () => this.#setFlag(null));
  }

  #mine(tab) {
    const { say, language, progress } = this;
    const ask = (wanted) => (wanted === "comments" ? this.attempt("waiting", {}) : this.attempt("mine", { state: wanted }));
    openMine({ ask, open: (query_id) => this.#leaveFor(query_id), withdraw: (row) => this.#withdraw(row), say, language, progress, tab });
  }

  #find() {
    const { say } = this;
    openFind({
      say, placeholder: say("find.placeholder"), nothing: say("find.nothing"),
      ask: (text) => this.attempt("find", { text }),
      show: ({ text, external_id, state, is_mine }) => [
        h("span", {}, text),
        h("span", {}, external_id && h("span", { class: "faint" }, `#${external_id}`), is_mine && pill(say("find.mine")), pill(say(`find.${state}`), state === "open" ? "ok" : "plain")),
      ],
      choose: ({ query_id }) => this.#leaveFor(query_id),
    });
  }

  async #leaveFor(query_id) {
    if (this.item && !this.isLocked) await this.drafts.save();
    await this.take({ query_id });
  }

  #onDraft(news) {
    if (news.kind === "lost") this.#lose(news.sentence);
    if (news.kind === "conflict") this.#offerBoth(news, this.editor.state);
    if (news.kind === "failed" && news.notice) this.tell(news.notice);
    if (news.kind === "saved") this.saved = news.at;
    this.draftKind = news.kind;
    this.#showSaved();
  }

  #showSaved() {
    const kind = this.draftKind;
    const text = this.#savedWords(kind);
    if (this.savedText.textContent !== text) this.savedText.textContent = text;
    this.savedText.className = ["waiting", "failed", "conflict"].includes(kind) ? "late" : "";
  }

  #savedWords(kind) {
    if (kind === "submitted") return this.say("label.submitted");
    if (!this.item || this.isLocked || !kind) return "";
    if (kind === "saved") return this.say("status.saved", { ago: ago(this.saved, this.say) });
    return this.drafts.isBehind ? this.say(`status.${kind}`) : "";
  }

  #buildFooter() {
    const { say, keys, parts } = this;
    const button = (action, run, className = "") =>
      actionButton(`label-${action === "next" ? "next-candidate" : action}`, { say, keys, action, run, className });
    this.buttons = {
      submit: button("submit", () => this.submit(), "primary"),
      adopt: button("adopt", () => this.#adopt()),
      next: button("next", () => this.nextCandidate(() => this.#showCandidate())),
      later: button("later", () => this.#later()),
      skip: button("skip", () => this.#skip()),
      flag: button("flag", () => this.#flag()),
      withdraw: button("withdraw", () => this.#withdraw()),
    };
    this.leaseText = h("span", { id: "label-lease" });
    this.savedText = h("span", { id: "label-saved", role: "status" });
    fill(parts.actions, Object.values(this.buttons));
    this.buttons.release = withSign(button("release", () => this.#release(), "plain"), "↩");
    this.buttons.history = withSign(button("history", () => this.#history(), "plain is-sign"), "◷");
    fill(parts.status, this.savedText, this.leaseText, this.buttons.release, this.comments.button, this.buttons.history, withSign(button("find", () => this.#find(), "plain is-sign"), "⌕"), withSign(button("mine", () => this.#mine(), "plain"), "☰"), withSign(button("keys", () => this.showKeys(), "plain"), ""));
  }

  #showActions() {
    const { buttons, item } = this;
    const isOpen = Boolean(item) && !this.isLocked;
    for (const action of ["submit", "later", "skip", "flag", "release"]) buttons[action].hidden = !isOpen;
    buttons.history.hidden = !item;
    buttons.adopt.hidden = !isOpen || !this.suggestion?.plan;
    buttons.next.hidden = !isOpen || item.suggestions.length < 2;
    buttons.withdraw.hidden = item?.state !== "submitted" && !this.lastSubmitted;
    buttons.withdraw.firstChild.textContent = this.say(item?.state === "submitted" ? "actions.withdraw" : "label.withdraw_last");
    buttons.adopt.firstChild.textContent = this.say("actions.adopt", { model: this.modelName });
    this.leaseText.hidden = !isOpen;
  }

  #bindKeys() {
    const { keys } = this;
    keys.on("add_step", () => !this.#isIdle() && this.editor.addStep());
    keys.on("candidates", () => this.#compareCandidates());
    keys.on("focus", () => Boolean(this.item) && this.editor.focus());
    this.bindSharedKeys({ mayUndo: () => !this.#isIdle() });
  }
}
