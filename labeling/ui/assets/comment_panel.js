/** The list of comments beside the plan: threads in the order of their places, and where one writes. */

import { timeOf } from "./desk.js";
import { fill, grow, h, pill } from "./dom.js";
import { isComposing, keyCap } from "./keys.js";

export const PANEL_KEYS = [
  ["ArrowDown", "next_comment"],
  ["Enter", "go_to_place"],
  ["R", "reply"],
  ["V", "resolve"],
  ["Esc", "close_comments"],
];

export class CommentPanel {
  /** `on`: `go(thread)`, `write(draft)`, `typed(draft)`, `send()`, `cancel()`, `settle(thread)`, `close()`. */
  constructor({ say, keys, language, on }) {
    Object.assign(this, { say, keys, language, on });
    this.showsResolved = false;
    this.body = h("div", { class: "comment-list" });
    this.count = h("span", { class: "faint" });
    const close = h("button", { type: "button", class: "quiet", "aria-label": say("dialogue.close"), onclick: () => on.close() }, "✕");
    const head = h("div", { class: "card-head" }, h("h3", {}, say("comments.title")), this.count, h("span", { class: "right" }, this.keys.show("comments"), close));
    this.node = h("aside", { class: "card desk-comments", id: "comments", "aria-label": say("comments.title"), hidden: true, onkeydown: (event) => this.#onKey(event) }, head, this.body);
  }

  /** `threads`: `{first, replies, place, words, state}`; `draft`: what is being written, or null. */
  draw({ threads, draft }) {
    const open = threads.filter(({ first }) => !first.resolved_at);
    const resolved = threads.filter(({ first }) => first.resolved_at);
    const focused = this.node.contains(document.activeElement) ? document.activeElement.closest("[data-thread]")?.dataset.thread : null;
    this.drawn = { threads, draft };
    this.count.textContent = open.length ? this.say("comments.open", { count: open.length }) : "";
    fill(
      this.body,
      draft && !draft.reply_to_id && this.#composer(draft),
      !threads.length && !draft && this.#nothing(),
      open.map((thread) => this.#thread(thread, draft)),
      resolved.length > 0 && this.#resolvedHead(resolved.length),
      this.showsResolved && resolved.map((thread) => this.#thread(thread, draft)),
      threads.length > 0 && !draft && this.#whole(),
    );
    if (focused) this.focusThread(focused);
  }

  focusThread(id = null) {
    const threads = [...this.body.querySelectorAll("[data-thread]")];
    const node = threads.find((each) => each.dataset.thread === id) ?? (id ? null : threads[0]);
    node?.focus({ preventScroll: true });
    node?.scrollIntoView({ block: "nearest" });
    return Boolean(node);
  }

  focusComposer() {
    const area = this.body.querySelector("textarea");
    area?.focus();
    area?.scrollIntoView({ block: "nearest" });
  }

  #thread({ first, replies, words, state }, draft) {
    const { say } = this;
    const isOpen = !first.resolved_at;
    const quote = first.anchor.quote?.trim();
    const isReplying = draft?.reply_to_id === first.id;
    const settle = h("button", { type: "button", class: "small", data: { act: "settle" }, onclick: () => this.on.settle(first) }, say(isOpen ? "comments.resolve" : "comments.reopen"), keyCap("V"));
    const reply = h("button", { type: "button", class: "small", data: { act: "reply" }, onclick: () => this.on.write({ reply_to_id: first.id }) }, say("comments.reply"), keyCap("R"));
    return h(
      "article",
      { class: `thread is-${state} ${isOpen ? "" : "is-resolved"}`, tabindex: 0, data: { thread: first.id }, onclick: (event) => this.#onClick(event, first) },
      h("div", { class: "thread-place" }, h("button", { type: "button", class: "link", data: { act: "go" } }, words), state === "here" ? null : pill(say(`comments.${state}`), "warn", { title: say(`comments.${state}_explained`) })),
      quote && h("blockquote", { class: "thread-quote" }, quote),
      [first, ...replies].map((each) => this.#said(each)),
      first.resolved_at && h("p", { class: "faint" }, say("comments.resolved_by", { who: first.resolved_by ?? say("review.annotator"), time: timeOf(first.resolved_at, this.language) })),
      isReplying ? this.#composer(draft) : h("div", { class: "thread-acts" }, reply, settle),
    );
  }

  #said({ author, is_mine, text, at }) {
    const name = is_mine ? this.say("comments.you") : (author ?? this.say("review.annotator"));
    return h("div", { class: "said" }, h("b", {}, name), h("span", { class: "faint" }, timeOf(at, this.language)), h("p", {}, text));
  }

  #composer(draft) {
    const { say } = this;
    const area = h("textarea", {
      class: "field", id: "comment-text", rows: 2, value: draft.text, maxlength: 4000,
      placeholder: say(draft.reply_to_id ? "comments.answer" : "comments.write"), "aria-label": say(draft.reply_to_id ? "comments.answer" : "comments.write"),
      oninput: () => {
        grow(area);
        this.on.typed({ ...draft, text: area.value });
      },
    });
    return h(
      "div",
      { class: "composer" },
      !draft.reply_to_id && h("div", { class: "thread-place" }, draft.words),
      !draft.reply_to_id && draft.anchor.quote && h("blockquote", { class: "thread-quote" }, draft.anchor.quote.trim()),
      area,
      h(
        "div",
        { class: "thread-acts" },
        h("button", { type: "button", class: "small primary", id: "comment-send", onclick: () => this.on.send() }, say("comments.send"), keyCap("Mod+Enter")),
        h("button", { type: "button", class: "small", id: "comment-cancel", onclick: () => this.on.cancel() }, say("actions.cancel")),
      ),
    );
  }

  #nothing() {
    const { say, keys } = this;
    return h(
      "div",
      { class: "no-comments" },
      h("p", {}, say("comments.none")),
      h("p", { class: "faint" }, say("comments.how_trace"), keys.show("comments")),
      h("p", { class: "faint" }, say("comments.how_field"), keys.show("comment")),
      this.#whole(),
    );
  }

  #whole() {
    return h("button", { type: "button", class: "link", id: "comment-whole", onclick: () => this.on.write({ anchor: { kind: "whole" } }) }, this.say("comments.on_whole"));
  }

  #resolvedHead(count) {
    const toggle = () => {
      this.showsResolved = !this.showsResolved;
      this.draw(this.drawn);
    };
    const attributes = { type: "button", class: "quiet", id: "comments-resolved", "aria-expanded": String(this.showsResolved), onclick: toggle };
    return h("button", attributes, this.say("comments.resolved", { count }), this.showsResolved ? " ▴" : " ▾");
  }

  #onClick(event, thread) {
    const act = event.target.closest("button, textarea");
    if ((act && act.dataset.act !== "go") || String(document.getSelection())) return;
    this.on.go(thread);
  }

  #onKey(event) {
    if (isComposing(event)) return;
    if (event.target.id === "comment-text") this.#onTyping(event);
    else if (!event.ctrlKey && !event.metaKey && !event.altKey) this.#onThreadKey(event);
  }

  #onTyping(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.on.send();
    else if (event.key === "Escape") this.on.cancel({ keeps: Boolean(event.target.value.trim()) });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #onThreadKey(event) {
    const id = event.target.dataset?.thread;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const found = this.drawn.threads.find(({ first }) => first.id === id);
    if (event.key === "Escape") this.on.close();
    else if (by) this.#move(by);
    else if (!found) return;
    else if (event.key === "Enter") this.on.go(found.first);
    else if (event.key.toLowerCase() === "r") this.on.write({ reply_to_id: id });
    else if (event.key.toLowerCase() === "v") this.on.settle(found.first);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #move(by) {
    const nodes = [...this.body.querySelectorAll("[data-thread]")];
    const at = nodes.indexOf(document.activeElement.closest("[data-thread]"));
    nodes[Math.min(Math.max(at + by, 0), nodes.length - 1)]?.focus();
  }
}
