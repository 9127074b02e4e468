/** The review page: the model's plan beside the annotator's, and a verdict. */

import { actionButton, askReason, banner, timeOf, withSign } from "./desk.js";
import { DeskPage } from "./desk_page.js";
import { fill, h, pill } from "./dom.js";
import { openFind } from "./find.js";
import { clock } from "./lease.js";
import { isSamePlan, readable } from "./plan.js";
import { showComparison } from "./plan_compare.js";
import { NotedReasons } from "./noted_reasons.js";
import { PlanEditor } from "./plan_editor.js";
import { choosePath } from "./plan_path.js";
import { openHistory, originOf } from "./item_history.js";
import { ReviewBar } from "./review_bar.js";
import { showBatch } from "./review_batch.js";
import { showNothing } from "./review_empty.js";
import { reasonList } from "./reasons.js";
import { lotBanner, lostBanner, markPassages, passageOf, showPassage } from "./review_banners.js";

const FIXES = "planwright.fix.";

/** Called once by the component of the page. */
export function mount(component) {
  return new ReviewDesk(component);
}

class ReviewDesk extends DeskPage {
  constructor(component) {
    super(component, { page: "review" });
    this.comparison = h("div", { id: "review-comparison" });
    this.editorPlace = h("div", { id: "review-editor" });
    this.parts.editor.tabIndex = -1;
    fill(this.parts.editor, this.comparison, this.editorPlace);
    this.editor = new PlanEditor(this.editorPlace, {
      say: this.say, keys: this.keys, onedit: (state) => this.#onEdit(state), about: (name) => this.dialogue.openExperts(name),
    });
    this.bar = new ReviewBar(this);
    this.ways = { goPath: (path) => this.#showPlace(path), goSpan: (span) => showPassage(span, this, this.noted.spans) };
    this.noted = new NotedReasons({
      say: this.say, root: this.parts.banners, wordsOf: (code) => this.#reasonWords(code), show: this.ways,
      changed: () => this.#markChosen(), send: () => this.#return(),
    });
    this.#buildFooter();
    this.keys.on("accept_too", () => Boolean(this.item) && this.accept());
    this.bindSharedKeys({ mayUndo: () => this.isFixing });
    this.takeNext();
  }

  async takeNext() {
    const wanted = new URLSearchParams(location.search).get("annotation");
    history.replaceState(null, "", location.pathname);
    const answer = await this.attempt("open", wanted ? { annotation_id: wanted } : this.bar.message);
    if (answer) this.show(answer);
    else if (wanted) await this.takeNext();
  }

  /** One submission, from a list. */
  async openOne(annotation_id) {
    const answer = await this.attempt("open", { annotation_id });
    if (answer) this.show(answer);
  }

  /** The next item under another filter; what is in hand goes back, unless it is being fixed. */
  async leaveForNext() {
    if (!this.item) return this.takeNext();
    if (this.isFixing) return undefined;
    const answer = await this.attempt("release", { annotation_id: this.item.annotation_id, ...this.bar.message });
    return answer ? this.show(answer) : this.takeNext();
  }

  show(answer) {
    this.bar.show(answer);
    this.lot = answer.lot ?? null;
    super.show(answer);
  }

  async showHistory() {
    const { item, say, language, hues } = this;
    if (!item) return;
    const answer = await this.attempt("history", { annotation_id: item.annotation_id });
    if (answer) openHistory({ history: answer.history, origin: originOf(item, say), say, language, hues, restore: (version) => this.#restore(version) });
  }

  async #restore(version) {
    const { item } = this;
    const answer = await this.attempt("restore", { annotation_id: item.annotation_id, query_id: item.query_id, revision_id: version.id, seen: item.revision_id });
    if (!answer) return;
    localStorage.removeItem(FIXES + item.revision_id);
    this.tell({ kind: "done", text: this.say("history.restored_done") });
    this.show(answer);
  }

  #find() {
    const { say, language } = this;
    openFind({
      say, placeholder: say("find.placeholder"), nothing: say("find.nothing_waits"),
      ask: (text) => this.attempt("find", { text }),
      show: ({ text, external_id, author, submitted_at, is_taken }) => {
        const facts = [external_id && `#${external_id}`, author, submitted_at && timeOf(submitted_at, language)];
        return [h("span", {}, text), h("span", {}, h("span", { class: "faint" }, facts.filter(Boolean).join(" · ")), is_taken && pill(say("find.taken"), "warn"))];
      },
      choose: ({ annotation_id }) => this.openOne(annotation_id),
    });
  }

  openItem(item) {
    this.begin(item);
    this.path = null;
    this.lease.open(item);
    const flag = item.flag && banner("warn", [h("b", {}, this.say("review.flagged")), " ", item.flag]);
    fill(this.parts.banners, lotBanner(this.lot, this.say), flag, item.earlier_returns.map((note) => this.#earlier(note)));
    this.noted.open(item);
    this.#showCandidate();
    const kept = keptFix(item);
    this.#setFixing(kept !== null, kept);
    if (!this.isFixing) {
      this.parts.editor.focus({ preventScroll: true });
      this.checkAtRest();
    }
  }

  openNothing() {
    this.lookAgain(() => this.takeNext());
    this.#showActions();
    const { batch } = this.bar;
    if (batch) {
      const { say, keys, bar } = this;
      showBatch(this.parts.empty, { batch, say, keys, rest: () => bar.onBatch(), drop: () => bar.drop(), again: () => bar.draw() });
      return;
    }
    showNothing(this.parts.empty, { say: this.say, language: this.language, labels: this.progress?.open_labels ?? 0, paused: this.paused, left: this.bar.leftBanner, again: () => this.takeNext() });
  }

  /** The plan that a verdict would be on. */
  get content() {
    return this.isFixing ? this.editor.state.content : this.item.plan;
  }

  get annotator() {
    return this.item.author ?? this.say("review.annotator");
  }

  #showCandidate() {
    this.showAround(new Set(readable(this.item.plan).steps.map((step) => step.expert)));
    this.#drawComparison();
    this.#showActions();
  }

  #drawComparison() {
    const { item, say, modelPlan: model } = this;
    const names = { before: model ? this.modelName : say("review.no_model_plan"), after: this.annotator };
    const lead = say("review.lead", { clock: clock(item.lead_seconds * 1000) });
    const facts = [item.author, lead, timeOf(item.submitted_at, this.language)].filter(Boolean).join(" · ");
    fill(
      this.comparison,
      h("div", { class: "card-head" }, h("h3", {}, say("review.title")), h("span", { class: "right", id: "review-facts" }, facts)),
      showComparison(model ?? { steps: [] }, item.plan, { say, names, hues: this.hues, onpath: (path) => this.#choose(path) }),
      h("p", { class: "faint hint" }, say("review.choose_hint")),
    );
    this.#markChosen();
  }

  /** Choose the place of the plan that a return would be about; again to let it go. */
  #choose(path) {
    this.path = path === this.path ? null : path;
    this.#markChosen();
  }

  /** Bring a place of the plan in sight that a reason is about, and choose it. */
  #showPlace(path) {
    if (this.isFixing) return this.editor.focus(path);
    const node = [...this.comparison.querySelectorAll(".is-choosable")].findLast((each) => path.startsWith(each.dataset.path));
    this.path = node?.dataset.path ?? null;
    this.#markChosen();
    node?.focus();
    return node?.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  #markChosen() {
    markPassages(this.noted.spans, this);
    for (const node of this.comparison.querySelectorAll(".is-choosable")) {
      const isOn = node.dataset.path === this.path;
      node.classList.toggle("is-noted", this.noted.paths.some((path) => path.startsWith(node.dataset.path)));
      node.classList.toggle("is-chosen", isOn);
      node.setAttribute("aria-pressed", String(isOn));
    }
  }

  #earlier(note) {
    const { say } = this;
    const head = say("review.earlier", { who: note.reviewer, time: timeOf(note.at, this.language) });
    return banner("", [h("b", {}, head), reasonList(note.reasons, { plan: this.item.plan, say, ...this.ways })]);
  }

  #reasonWords(code) {
    return this.reasons.find(([each]) => each === code)?.[1] ?? code;
  }

  #setFixing(isFixing, content = null) {
    this.isFixing = isFixing;
    this.comparison.hidden = isFixing;
    this.editorPlace.hidden = !isFixing;
    if (isFixing) {
      const { hues, changes, item } = this;
      const experts = item.expert_list.experts;
      this.editor.open({ content: content ?? item.plan, experts, changes, hues, model: item.plan, modelName: this.annotator });
      this.editor.focus(this.path ?? "$.rewritten_query");
      this.check();
    }
    this.#showActions();
  }

  #onEdit({ content }) {
    localStorage.setItem(FIXES + this.item.revision_id, JSON.stringify(content));
    this.checkSoon();
  }

  accept() {
    if (this.noted.list.length) return this.tell({ kind: "error", text: this.say("review.noted_first") });
    if (!this.isFixing) return this.#finish("accept", {});
    if (this.editor.rawError) return this.editor.focus();
    if (isSamePlan(this.content, this.item.plan)) return this.#finish("accept", {});
    return this.#finish("fix", { content: this.content });
  }

  #toggleFix() {
    if (this.isFixing) localStorage.removeItem(FIXES + this.item.revision_id);
    this.#setFixing(!this.isFixing);
    if (!this.isFixing) this.check();
  }

  async #return() {
    const { say, item, noted } = this;
    if (!item || this.isBusy) return;
    const place = choosePath(item.plan, this.path, say);
    const passage = passageOf(this);
    const isMore = noted.list.length > 0;
    const given = await askReason({
      title: say("actions.return"), explained: isMore ? [say("review.noted", { count: noted.list.length }), noted.nodes(), h("p", {}, say("review.another"))] : say("review.return_explained"),
      choices: this.reasons, isNeeded: (code) => code === "other", isFree: isMore, say,
      confirm: say("actions.return"), note: say("review.note"), extra: [place.node, passage.node],
    });
    getSelection().removeAllRanges();
    if (!given) return;
    const reasons = given.code ? [...noted.list, { code: given.code, remark: given.reason, path: place.value, span: passage.value }] : noted.list;
    if (!given.isNote) {
      await this.#finish("return", { reasons });
      return;
    }
    this.path = null;
    noted.add(reasons.at(-1));
    this.parts.editor.focus({ preventScroll: true });
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
    const { item } = this;
    const answer = await this.end(name, { ...message, ...this.bar.message, revision_id: item.revision_id });
    if (!answer) return;
    if (answer.lost) {
      this.#showLost(answer.lost);
      return;
    }
    if (answer.problems) {
      this.editor.setProblems(answer.problems);
      this.editor.problems.insist();
      this.editor.focus(answer.problems[0]?.path);
      return;
    }
    localStorage.removeItem(FIXES + item.revision_id);
    this.noted.clear();
    this.tell({ kind: "done", text: this.say(`review.done_${name}`) });
    this.show(answer);
  }

  /** Somebody was faster: who and when, what is there now, and what was done here. */
  #showLost(lost) {
    const { item, say, hues } = this;
    lostBanner(this.parts.banners, {
      lost, say, hues, seen: item.plan, mine: this.isFixing ? this.content : null,
      next: () => this.takeNext(), open: () => this.openOne(item.annotation_id),
    });
  }

  #buildFooter() {
    const { say, keys, parts } = this;
    const button = (action, run, className = "") => actionButton(`review-${action}`, { say, keys, action, run, className });
    this.buttons = {
      accept: button("accept", () => this.accept(), "primary"),
      fix: button("fix", () => this.#toggleFix()),
      return: button("return", () => this.#return()),
      discard: button("discard", () => this.#discard()),
      next: button("next", () => this.nextCandidate(() => this.#showCandidate())),
      skip: button("skip", () => this.#skip()),
    };
    this.leaseText = h("span", { id: "review-lease" });
    fill(parts.actions, Object.values(this.buttons));
    fill(parts.status, this.leaseText, this.comments.button, withSign(button("find", () => this.#find(), "plain is-sign"), "⌕"), withSign(button("keys", () => this.showKeys(), "plain"), ""));
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
