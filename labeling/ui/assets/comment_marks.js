/**
 * Marks of comments: at the edge of the plan beside their places, and coloured in the trace. They lie
 * over the page and never inside the form, which is drawn anew while somebody edits.
 */

import { fill, h } from "./dom.js";
import { signOf } from "./keys.js";

const ROWS = ':is(section.rewrite, article.step, li, .is-choosable)[data-path]';
const FOLLOW_MS = 250;
const SHINE_MS = 1600;

export class CommentMarks {
  /** `open(ids)`: a mark was chosen; `begin(path)`, `beginPassage()`: comment there; `moved()`: the plan was changed. */
  constructor(page, { open, begin, beginPassage, moved }) {
    Object.assign(this, { page, open, begin, beginPassage, moved });
    this.threads = [];
    this.marks = h("div", { class: "comment-marks" });
    this.hint = h("button", { type: "button", class: "comment-mark is-hint", tabindex: -1, hidden: true, onclick: () => this.begin(this.hint.dataset.at) }, "＋");
    this.passage = h("button", { type: "button", class: "small comment-passage", tabindex: -1, hidden: true, onmousedown: (event) => event.preventDefault(), onclick: () => this.beginPassage() });
    this.place = page.parts.editor.parentElement;
    this.place.append(h("div", { class: "comment-layer" }, this.marks, this.hint));
    page.root.append(this.passage);
    this.#listen();
  }

  /** The place of the plan that is chosen on the page, if one is. */
  get chosen() {
    return this.page.parts.editor.querySelector(".is-chosen[data-path]")?.dataset.path ?? null;
  }

  /** Mark these threads from now on. */
  show(threads) {
    this.threads = threads;
    this.layOut();
    const passages = threads.filter(({ first, place, state }) => first.anchor.kind === "trace" && place.isShown && state === "here").map(({ place }) => [place.start, place.end]);
    this.page.trace.mark("pw-commented", passages);
  }

  /** Put the marks where their places are now. */
  layOut() {
    const at = new Map();
    for (const { first, place } of this.threads) {
      if (first.anchor.kind !== "plan") continue;
      const row = this.#rowOf(place.path);
      if (row) at.set(row, [...(at.get(row) ?? []), first.id]);
    }
    const top = this.place.getBoundingClientRect().top;
    fill(
      this.marks,
      [...at].map(([row, ids]) => {
        const label = this.page.say("comments.here", { count: ids.length });
        const mark = h("button", { type: "button", class: "comment-mark", title: label, "aria-label": label, data: { at: row.dataset.path }, onclick: () => this.open(ids) }, ids.length);
        mark.style.top = `${row.getBoundingClientRect().top - top + 6}px`;
        return mark;
      }),
    );
    if (this.hint.dataset.at) this.#hintAt(this.#rowOf(this.hint.dataset.at));
  }

  /** Bring a place of the plan in sight; the caret goes there where it can be edited. */
  reveal(path) {
    const { editor, parts } = this.page;
    if (parts.editor.querySelector(".plan-form") && !parts.editor.inert && editor.root.offsetParent) editor.focus(path);
    const row = this.#rowOf(path);
    row?.scrollIntoView({ block: "center", behavior: "instant" });
    row?.classList.add("is-shown");
    setTimeout(() => row?.classList.remove("is-shown"), SHINE_MS);
  }

  revealPassage({ start, end }) {
    const { trace } = this.page;
    trace.reveal([start, end]);
    trace.mark("pw-comment-shown", [[start, end]]);
    clearTimeout(this.shining);
    this.shining = setTimeout(() => trace.mark("pw-comment-shown", []), SHINE_MS);
  }

  #listen() {
    const { parts, trace } = this.page;
    let waiting = 0;
    const soon = () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => this.moved());
    };
    new MutationObserver(soon).observe(parts.editor, { childList: true, subtree: true, attributes: true, attributeFilter: ["hidden"] });
    new ResizeObserver(() => this.layOut()).observe(this.place);
    parts.editor.addEventListener("input", () => {
      clearTimeout(this.following);
      this.following = setTimeout(() => this.moved(), FOLLOW_MS);
    });
    parts.editor.addEventListener("focusin", (event) => this.#hintAt(event.target.closest(ROWS)));
    parts.editor.addEventListener("focusout", () => setTimeout(() => parts.editor.contains(document.activeElement) || this.#hintAt(null)));
    this.place.addEventListener("mousemove", (event) => this.#hintAt(this.#rowUnder(event)));
    this.place.addEventListener("mouseleave", () => this.#hintAt(document.activeElement?.closest?.(ROWS) ?? null));
    document.addEventListener("selectionchange", () => this.#offerPassage());
    trace.body.addEventListener("scroll", () => (this.passage.hidden = true), { passive: true });
    trace.body.addEventListener("click", (event) => this.#onTrace(event));
  }

  /** The innermost row at the height of the pointer; rows of a plan that is only shown take no events. */
  #rowUnder({ clientY, target }) {
    if (target.closest?.(".comment-layer")) return this.#rowOf(this.hint.dataset.at ?? "");
    const rows = [...this.page.parts.editor.querySelectorAll(ROWS)].filter((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return row.offsetParent && clientY >= top && clientY < bottom;
    });
    return rows.at(-1) ?? null;
  }

  #hintAt(row) {
    const path = row?.dataset.path;
    const isMarked = row && this.threads.some(({ first, place }) => first.anchor.kind === "plan" && this.#rowOf(place.path) === row);
    this.hint.hidden = !row || isMarked;
    this.hint.dataset.at = row ? path : "";
    if (!row) return;
    const key = signOf(this.page.keys.bindings.comment ?? "");
    this.hint.title = this.page.say("comments.add", { key });
    this.hint.setAttribute("aria-label", this.hint.title);
    this.hint.style.top = `${row.getBoundingClientRect().top - this.place.getBoundingClientRect().top + 6}px`;
  }

  /** A button beside what is selected in the trace. */
  #offerPassage() {
    const found = this.page.item && this.page.trace.selected;
    this.passage.hidden = !found;
    if (!found) return;
    const rects = document.getSelection().getRangeAt(0).getClientRects();
    const { right, bottom } = rects[rects.length - 1];
    fill(this.passage, this.page.say("comments.on_passage"), this.page.keys.show("comments"));
    this.passage.style.left = `${Math.min(right, innerWidth - 140)}px`;
    this.passage.style.top = `${Math.min(bottom + 4, innerHeight - 100)}px`;
  }

  /** A click on a coloured passage opens what was said about it. */
  #onTrace({ clientX, clientY }) {
    if (String(document.getSelection())) return;
    const caret = document.caretPositionFromPoint?.(clientX, clientY);
    const piece = caret && this.page.trace.pieces?.find(({ node }) => node === caret.offsetNode);
    if (!piece) return;
    const at = piece.start + caret.offset;
    const hit = this.threads.filter(({ first, place }) => first.anchor.kind === "trace" && place.isShown && at >= place.start && at < place.end);
    if (hit.length) this.open(hit.map(({ first }) => first.id));
  }

  /** The row of a path, or what is around it; none while the plan is shown as text. */
  #rowOf(path) {
    for (let at = path; at.length > 1; at = at.replace(/(\.[^.[]+|\[\d+\])$/, "")) {
      const found = [...this.page.parts.editor.querySelectorAll(`:is(section.rewrite, article.step, li, .is-choosable)[data-path="${CSS.escape(at)}"]`)];
      const row = found.find((each) => each.offsetParent);
      if (row) return row;
      if (!at.includes("[")) return null;
    }
    return null;
  }
}
