/**
 * Comments on the item of a desk: a list beside the plan, marks at their places in the plan and in the
 * trace, and ways to begin one. What is said goes to the server at once; what is only typed is kept in
 * this browser, with the id it will have, so that it can be sent twice and is said once.
 */

import { CommentMarks } from "./comment_marks.js";
import { CommentPanel } from "./comment_panel.js";
import * as places from "./comment_places.js";
import { actionButton, withSign } from "./desk.js";
import { h } from "./dom.js";
import { wordsOfPath } from "./plan_path.js";

const UNSENT = "planwright.comments";
const MOST_UNSENT = 20;
const LOOK_AGAIN_MS = 60_000;

export class Comments {
  /** `page` is the desk: its parts, trace, editor, item, content and ways to ask. */
  constructor(page, { name }) {
    const { say, keys, language, parts } = page;
    Object.assign(this, { page, say });
    this.said = [];
    this.threads = [];
    this.draft = null;
    this.panel = new CommentPanel({
      say, keys, language,
      on: {
        go: (thread) => this.#go(thread),
        write: (draft) => this.#write(draft),
        typed: (draft) => this.#keep(draft),
        send: () => this.#send(),
        cancel: (how) => this.#cancel(how),
        settle: (thread) => this.#settle(thread),
        close: () => this.close(),
      },
    });
    parts.main.append(this.panel.node);
    this.marks = new CommentMarks(page, {
      open: (ids) => this.open({ thread: ids[0] }),
      begin: (path) => this.#writeAt(path),
      beginPassage: () => this.#writeSelected(),
      moved: () => this.#follow(),
    });
    this.badge = h("b", { class: "comment-count", hidden: true });
    this.button = actionButton(`${name}-comments`, { say, keys, action: "comments", run: () => this.#onKey(), className: "plain" });
    withSign(this.button, "❝").firstChild.after(this.badge);
    keys.on("comment", () => Boolean(page.item) && this.#writeAtFocus());
    setInterval(() => this.isOpen && !document.hidden && this.#look(), LOOK_AGAIN_MS);
  }

  get isOpen() {
    return !this.panel.node.hidden;
  }

  /** Begin with an item, or with none. */
  begin(item) {
    this.draft = item && unsent(item.annotation_id);
    if (this.draft) this.draft.words = this.#wordsOf(this.draft.anchor);
    this.#take(item?.comments ?? []);
    if (this.draft) this.open({ isQuiet: true });
    this.button.hidden = !item;
  }

  /** Another suggestion is shown, or the plan was drawn anew: everything finds its place again. */
  follow() {
    this.#follow();
  }

  open({ thread = null, isQuiet = false } = {}) {
    const isNew = !this.isOpen;
    this.panel.node.hidden = false;
    this.page.root.classList.add("has-comments");
    const found = this.said.find((each) => each.id === thread);
    if (found?.resolved_at) this.panel.showsResolved = true;
    this.#draw();
    if (isNew && this.said.length) this.#look();
    if (!isQuiet && !this.panel.focusThread(thread)) this.panel.node.querySelector("#comment-whole")?.focus();
    this.marks.layOut();
  }

  close() {
    this.panel.node.hidden = true;
    this.page.root.classList.remove("has-comments");
    this.marks.layOut();
    this.page.parts.editor.focus({ preventScroll: true });
  }

  /** The key of the comments: on what is marked, else the list and back. */
  #onKey() {
    if (!this.page.item) return;
    if (this.page.trace.selected) this.#writeSelected();
    else if (this.marks.chosen) this.#writeAt(this.marks.chosen);
    else if (this.isOpen) this.close();
    else this.open();
  }

  #writeAtFocus() {
    if (this.page.trace.selected) return this.#writeSelected();
    const path = document.activeElement?.closest?.("[data-path]")?.dataset.path ?? this.marks.chosen ?? "$";
    return this.#writeAt(path);
  }

  #writeAt(path) {
    const place = places.commentPath(path);
    this.#write({ anchor: place === "$" ? { kind: "whole" } : places.planAnchor(this.page.content, place) });
  }

  #writeSelected() {
    const { trace, suggestion } = this.page;
    const found = trace.selected;
    if (!found || !suggestion) return;
    this.#write({ anchor: places.traceAnchor(suggestion.id, suggestion.trace, ...found) });
    document.getSelection().removeAllRanges();
  }

  /** Begin to write; what was typed elsewhere and not sent comes along. */
  #write({ anchor = { kind: "whole" }, reply_to_id = null }) {
    const text = this.draft?.text ?? "";
    this.#keep({ id: places.newId(), anchor, reply_to_id, text, words: this.#wordsOf(anchor) });
    this.open({ isQuiet: true });
    this.panel.focusComposer();
  }

  #keep(draft) {
    this.draft = draft;
    keepUnsent(this.page.item.annotation_id, draft?.text.trim() ? draft : null);
  }

  #cancel({ keeps = false } = {}) {
    const thread = this.draft?.reply_to_id;
    if (keeps) return document.activeElement.blur();
    this.#keep(null);
    this.#draw();
    return this.panel.focusThread(thread) || this.panel.node.querySelector("#comment-whole")?.focus();
  }

  async #send() {
    const { draft, page } = this;
    if (!draft?.text.trim() || this.isSending) return this.panel.focusComposer();
    const { id, anchor, reply_to_id, text } = draft;
    this.isSending = true;
    const answer = await page.attempt("comment", { annotation_id: page.item.annotation_id, comment: { id, anchor, reply_to_id, text } });
    this.isSending = false;
    if (!answer?.comments) return this.panel.focusComposer();
    if (this.draft?.id === id) this.#keep(null);
    this.#take(answer.comments);
    window.planwright.refreshHeader?.();
    return this.panel.focusThread(reply_to_id ?? id);
  }

  async #settle(thread) {
    const answer = await this.page.attempt("resolve", { thread_id: thread.id, is_resolved: !thread.resolved_at });
    if (!answer?.comments) return;
    const next = this.threads.findIndex(({ first }) => first.id === thread.id);
    this.#take(answer.comments);
    window.planwright.refreshHeader?.();
    const open = this.threads.filter(({ first }) => !first.resolved_at);
    this.panel.focusThread(thread.resolved_at ? thread.id : open[Math.min(next, open.length - 1)]?.first.id);
  }

  /** What others have said meanwhile. */
  async #look() {
    const { item } = this.page;
    const answer = await this.page.ask("comments", { annotation_id: item.annotation_id }).catch(() => null);
    const isSame = JSON.stringify(answer?.comments) === JSON.stringify(this.said);
    if (answer?.comments && !isSame && item === this.page.item && !this.panel.body.querySelector(":focus-within textarea")) this.#take(answer.comments);
  }

  #take(said) {
    this.said = said;
    const open = said.filter((each) => !each.reply_to_id && !each.resolved_at).length;
    this.badge.textContent = open || "";
    this.badge.hidden = !open;
    const words = this.say("actions.comments");
    this.button.setAttribute("aria-label", open ? `${words} · ${this.say("comments.open", { count: open })}` : words);
    this.#follow({ isNew: true });
  }

  /** Find every place in the plan and the trace as they are now; the list is drawn when one has changed. */
  #follow({ isNew = false } = {}) {
    if (!this.page.item) return;
    const before = JSON.stringify(this.threads.map(({ state, words }) => [state, words]));
    const firsts = this.said.filter((each) => !each.reply_to_id);
    this.threads = firsts.map((first) => this.#threadOf(first)).sort((one, other) => one.rank - other.rank);
    const isChanged = before !== JSON.stringify(this.threads.map(({ state, words }) => [state, words]));
    if (isNew || isChanged) this.#draw();
    this.marks.show(this.threads.filter(({ first }) => !first.resolved_at));
  }

  #draw() {
    if (this.isOpen) this.panel.draw(this);
  }

  #threadOf(first) {
    const { page } = this;
    const { anchor } = first;
    const replies = this.said.filter((each) => each.reply_to_id === first.id);
    if (anchor.kind === "plan") {
      const place = places.placeInPlan(page.content, anchor);
      return { first, replies, place, state: place.state, words: wordsOfPath(place.path, page.content, this.say), rank: rankOf(place.path) };
    }
    if (anchor.kind === "whole") return { first, replies, place: null, state: "here", words: this.#wordsOf(anchor), rank: -1 };
    const suggestion = page.item.suggestions.find((each) => each.id === anchor.suggestion_id);
    const place = places.placeInTrace(suggestion?.trace ?? "", anchor);
    const isShown = suggestion !== undefined && suggestion.id === page.suggestion?.id;
    return { first, replies, place: { ...place, isShown }, state: place.state, words: this.#wordsOf(anchor), rank: 1e9 + anchor.start };
  }

  #wordsOf(anchor) {
    if (anchor.kind === "plan") return wordsOfPath(anchor.path, this.page.content, this.say);
    if (anchor.kind === "whole") return this.say("comments.whole");
    const at = this.page.item.suggestions.findIndex((each) => each.id === anchor.suggestion_id);
    return this.page.item.suggestions.length > 1 ? this.say("comments.trace_of", { number: at + 1 }) : this.say("trace.title");
  }

  /** Lead to the place of a thread. */
  #go(thread) {
    const { page } = this;
    const { place } = this.threads.find(({ first }) => first.id === thread.id);
    if (thread.anchor.kind === "plan") this.marks.reveal(place.path);
    if (thread.anchor.kind !== "trace") return;
    const wanted = thread.anchor.suggestion_id;
    for (let turn = 0; page.suggestion?.id !== wanted && turn < page.item.suggestions.length; turn++) page.buttons.next.click();
    if (page.suggestion?.id === wanted && place.end > place.start) this.marks.revealPassage(place);
  }
}

function rankOf(path) {
  const numbers = path.match(/\d+/g)?.map(Number) ?? [];
  if (path === "$") return -0.5;
  return numbers.length ? (numbers[0] + 1) * 10_000 + (numbers[1] ?? -1) + 1 : 0;
}

/** What was typed and not sent, by annotation, the newest last; for example before a reload. */
function allUnsent() {
  try {
    const kept = JSON.parse(localStorage.getItem(UNSENT) ?? "[]");
    return Array.isArray(kept) ? kept.filter(([, draft]) => typeof draft?.text === "string" && draft.anchor) : [];
  } catch {
    return [];
  }
}

function unsent(annotation_id) {
  return allUnsent().find(([id]) => id === annotation_id)?.[1] ?? null;
}

function keepUnsent(annotation_id, draft) {
  const others = allUnsent().filter(([id]) => id !== annotation_id);
  const kept = draft ? [...others, [annotation_id, draft]] : others;
  localStorage.setItem(UNSENT, JSON.stringify(kept.slice(-MOST_UNSENT)));
}
