/** Above the review desk: what waits and how it is narrowed, the batch, the lots, the history. */

import { actionButton } from "./desk.js";
import { fill, h, pill } from "./dom.js";
import { confirmRest, numbersOf, offerBatch, standing, tellOutcome } from "./review_batch.js";
import { leftBanner, openLots } from "./review_lots.js";
import { openWaiting, tidy } from "./waiting_list.js";

const STORE = "planwright.narrowed";

export class ReviewBar {
  /** `page` is the desk: its parts and ways to ask. */
  constructor(page) {
    const { say, keys, parts } = page;
    Object.assign(this, { page, say, keys });
    Object.assign(this, stored());
    this.batch = null;
    const button = (action, run) => actionButton(`review-${action}`, { say, keys, action, run, className: "plain" });
    this.waiting = button("waiting", () => this.#openWaiting());
    this.batchButton = button("batch", () => this.onBatch());
    this.lots = button("lots", () => this.openLots());
    this.history = button("history", () => page.showHistory());
    this.filter = h("span", { class: "bar-part" });
    this.progress = h("span", { class: "bar-part", id: "review-batch-progress", role: "status" });
    this.node = h("div", { class: "review-bar", role: "toolbar", "aria-label": say("waiting.title") }, this.waiting, this.filter, this.progress, this.batchButton, h("span", { class: "right" }, this.lots, this.history));
    parts.empty.before(this.node);
  }

  /** How this reviewer narrows what waits, for every question that brings a next item. */
  get message() {
    return this.narrowed ? { narrowed: this.narrowed } : {};
  }

  /** An answer of the server: the count, the batch, whether there is an item. */
  show({ progress, batch, item, left = null }) {
    const { say } = this;
    this.left = left;
    if (batch !== undefined) this.batch = batch;
    if (progress) fill(this.waiting.firstChild, say("bar.waiting", { count: progress.open_reviews.toLocaleString() }));
    this.history.hidden = !item;
    fill(this.filter, this.narrowed && [pill(this.words || say("bar.narrowed"), "warn", { id: "review-narrowed" }), h("button", { type: "button", class: "quiet", id: "review-clear", "aria-label": say("bar.clear"), title: say("bar.clear"), onclick: () => this.#apply(null) }, "✕")]);
    this.#showBatch();
  }

  #showBatch() {
    const { say, batch } = this;
    this.waiting.disabled = Boolean(batch);
    this.filter.hidden = Boolean(batch);
    const tone = batch && { done: "ok", failed: "bad", gone: "warn", wait: "" }[standing(batch)];
    fill(this.progress, batch && [pill(say("batch.progress", numbersOf(batch)), tone), h("button", { type: "button", class: "small", id: "review-drop", onclick: () => this.drop() }, say("batch.drop"))]);
    this.batchButton.disabled = Boolean(batch && !batch.may_accept);
    this.batchButton.classList.toggle("primary", Boolean(batch?.may_accept));
    this.batchButton.classList.toggle("plain", !batch?.may_accept);
    fill(this.batchButton.firstChild, batch ? say("batch.rest", numbersOf(batch)) : say("actions.batch"));
  }

  async onBatch() {
    const { page, say, batch } = this;
    if (batch?.may_accept) return confirmRest({ batch, say, run: () => this.#rest() });
    if (batch) return false;
    const answer = await page.attempt("plan", this.message);
    return answer && offerBatch({ plan: answer.plan, say, draw: () => this.draw() });
  }

  async draw() {
    const answer = await this.page.attempt("draw", this.message);
    if (answer) this.page.show(answer);
  }

  async drop() {
    const answer = await this.page.attempt("drop", this.message);
    if (answer) this.page.show(answer);
  }

  async #rest() {
    const { page, say } = this;
    const answer = await page.attempt("rest", { batch_id: this.batch.id });
    if (!answer) return;
    page.show(answer);
    tellOutcome({ outcome: answer.outcome, say, open: (each) => page.openOne(each.annotation_id) });
  }

  #openWaiting() {
    const { page, say, narrowed } = this;
    return openWaiting({
      say, language: page.language, narrowed, ask: (name, message) => page.attempt(name, message),
      open: (row) => page.openOne(row.annotation_id), apply: (wanted, how) => this.#apply(wanted, how),
    });
  }

  /** Narrow from now on; unless one was chosen, the next item comes under it. */
  #apply(wanted, { words = "", stays = false } = {}) {
    const before = JSON.stringify(this.narrowed);
    Object.assign(this, { narrowed: tidy(wanted), words });
    if (this.narrowed) sessionStorage.setItem(STORE, JSON.stringify({ narrowed: this.narrowed, words }));
    else sessionStorage.removeItem(STORE);
    this.show({ item: this.page.item });
    if (!stays && JSON.stringify(this.narrowed) !== before) this.page.leaveForNext();
  }

  /** What lots hold while sampling is off, where there is nothing else to do. */
  get leftBanner() {
    return leftBanner(this.left, this.say, { dissolve: () => this.#act("dissolve", {}, "lots.dissolved_done"), open: () => this.openLots() });
  }

  /** Do something to lots, tell it, and bring what there is to review now. */
  async #act(name, message, words) {
    const { page, say } = this;
    const done = await page.attempt(name, message);
    if (!done) return null;
    page.tell({ kind: "done", text: say(words, { count: done.count }) });
    if (!page.item) page.takeNext();
    return done;
  }

  async openLots() {
    const { page, say } = this;
    const answer = await page.attempt("lots", {});
    if (!answer) return;
    openLots({
      found: answer, say, language: page.language,
      close: (lot_id) => this.#act("close_lot", { lot_id }, "lots.drawn"),
      dissolve: () => this.#act("dissolve", {}, "lots.dissolved_done"),
    });
  }
}

/** How this tab was narrowed before a reload, with the words for it. */
function stored() {
  try {
    const { narrowed, words } = JSON.parse(sessionStorage.getItem(STORE));
    return { narrowed: tidy(narrowed), words };
  } catch {
    return { narrowed: null, words: "" };
  }
}
