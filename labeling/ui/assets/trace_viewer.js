/** The model's thinking: long texts stay fast, experts are marked, length stands against its target. */

import { fill, h } from "./dom.js";
import { inSlices, TracePieces } from "./trace_pieces.js";
import { mentions, places, repeats, sentencesWith, settledAt } from "./trace_text.js";

const GAUGE_END = 1.8; // the gauge ends at this many times the longest good length, or where the trace does
const SEARCH_PAUSE_MS = 60;

export class TraceViewer {
  constructor(root, { say, keys }) {
    Object.assign(this, { root, say, keys });
    this.text = "";
    this.names = new Set();
    /** Name of a highlight → the places that it colours, as `[start, end]`. */
    this.coloured = new Map();
    const hint = h("p", { class: "only-heard", id: "trace-hint" }, say("trace.keys_hint"));
    this.body = h("div", { class: "trace", tabindex: 0, role: "region", "aria-label": say("trace.title"), "aria-describedby": hint.id, onkeydown: (event) => this.#onKey(event) });
    this.sheet = new TracePieces(this.body);
    this.sheet.onmark = (node, name, end) => this.#showMark(node, name, end);
    this.gauge = h("span", { class: "gauge", role: "img" }, h("i"), h("u"));
    this.length = h("span", { class: "pill" });
    this.facts = h("div", { class: "facts" });
    this.fold = h("button", { type: "button", class: "quiet", id: "trace-fold", onclick: () => this.toggleFold() });
    this.find = h("input", { type: "search", class: "find", id: "trace-find", placeholder: say("trace.search"), "aria-label": say("trace.search"), oninput: () => this.#searchSoon(), onkeydown: (event) => this.#onFindKey(event) });
    this.count = h("span", { class: "count", role: "status" });
    const tools = h("span", { class: "right" }, this.fold, h("span", { class: "finder" }, this.find, keys.show("search"), this.count));
    fill(root, h("div", { class: "card-head" }, h("h3", {}, say("trace.title")), this.gauge, this.length, tools), this.facts, this.body, hint);
    this.#setFolded(false);
  }

  /** Show a trace: `{trace, length, think: {min, max}, experts, planned, hues, banned, absent}`; `planned` are the experts of the model's own plan. */
  open({ trace, length, think, experts, planned, hues, banned, absent }) {
    const text = trace ?? "";
    this.root.classList.toggle("is-empty", !text);
    this.planned = planned;
    if (text === this.text && this.experts === experts) return;
    Object.assign(this, { text, experts, think, total: length, named: mentions(text, experts), repeated: [], forbidden: [], argued: [], settled: null });
    this.find.value = "";
    this.count.textContent = "";
    this.found = [];
    for (const name of this.coloured.keys()) this.mark(name, []);
    this.sheet.start(text, this.named, (name) => hues.get(name));
    this.body.scrollTop = 0;
    this.namesKey = null;
    if (text) this.#draw(banned);
    else fill(this.body, h("p", { class: "absent" }, absent));
  }

  /** The plan calls these experts: link their mentions, find what argues for others, and where all were first named. */
  setPlanExperts(names) {
    const known = this.experts.map(({ name }) => name).filter((name) => names.has(name));
    const key = JSON.stringify([known, known.length < names.size, [...this.planned].sort()]);
    if (key === this.namesKey) return;
    this.namesKey = key;
    this.names = names;
    this.settled = settledAt(this.named, names);
    const removed = new Set([...this.planned].filter((name) => !names.has(name)));
    this.argued = sentencesWith(this.text, this.named.filter(({ name }) => removed.has(name)));
    for (const { node, end } of this.sheet.marks) this.#showMark(node, node.dataset.expert, end);
    this.mark("pw-argued", this.argued);
    this.#measure();
    this.#showFacts();
  }

  /** Light the mentions of one expert, or of none. */
  light(name) {
    for (const node of this.sheet.marksOf?.get(this.lit) ?? []) node.classList.remove("is-lit");
    this.lit = name;
    for (const node of this.sheet.marksOf?.get(name) ?? []) node.classList.add("is-lit");
  }

  /** Colour these places, as `[start, end]`, with the highlight of a name; as soon as they are drawn. */
  mark(name, found) {
    this.coloured.set(name, found);
    if (this.sheet.isDrawn) this.sheet.highlight(name, found);
  }

  /** Bring a place in sight. */
  async reveal([start]) {
    await this.drawn;
    this.#setFolded(false);
    this.sheet.show(start);
  }

  /** What is selected in the trace, `[start, end]`, or null. */
  get selected() {
    const range = getSelection().rangeCount ? getSelection().getRangeAt(0) : null;
    if (!range || range.collapsed || !this.body.contains(range.commonAncestorContainer)) return null;
    const [start, end] = [this.sheet.offsetOf(range.startContainer, range.startOffset), this.sheet.offsetOf(range.endContainer, range.endOffset)];
    return end > start ? [start, end] : null;
  }

  /** Its text nodes with their places, `{start, node}`, as far as they are drawn. */
  get pieces() {
    return this.sheet.pieces;
  }

  search() {
    this.find.focus();
    this.find.select();
  }

  toggleFold() {
    this.#setFolded(!this.body.classList.contains("is-folded"));
  }

  #setFolded(isFolded) {
    this.body.classList.toggle("is-folded", isFolded);
    fill(this.fold, this.say(isFolded ? "trace.unfold" : "trace.fold"), this.keys.show("fold"));
    this.fold.setAttribute("aria-expanded", String(!isFolded));
  }

  /** All of it in slices: the lines, then what is repeated and what is banned. */
  #draw(banned) {
    const { text, experts } = this;
    const isOver = () => text !== this.text || experts !== this.experts;
    this.drawn = inSlices(this.sheet.draw(), isOver);
    this.drawn.then(async () => {
      if (isOver()) return;
      for (const [name, found] of this.coloured) this.mark(name, found);
      this.forbidden = places(text, banned);
      this.mark("pw-banned", this.forbidden);
      this.repeated = (await inSlices(repeats(text), isOver)) ?? [];
      if (isOver()) return;
      this.mark("pw-repeated", this.repeated);
      this.#showFacts();
    });
  }

  #showMark(node, name, end) {
    node.classList.toggle("is-unused", !this.names.has(name));
    const isSettled = end === this.settled;
    if (isSettled !== node.classList.contains("is-settled")) {
      node.classList.toggle("is-settled", isSettled);
      node.title = isSettled ? this.say("trace.settled_explained") : "";
    }
  }

  get #share() {
    return this.settled === null ? null : Math.round((100 * this.settled) / this.text.length);
  }

  #measure() {
    const { think, total, say } = this;
    this.gauge.hidden = this.length.hidden = !this.text;
    const end = Math.max(think.max * GAUGE_END, total);
    const share = (value) => `${Math.min(100, (100 * value) / end).toFixed(1)}%`;
    this.gauge.style.setProperty("--from", share(think.min));
    this.gauge.style.setProperty("--to", share(think.max));
    const [tick, first] = this.gauge.children;
    tick.style.left = share(total);
    first.hidden = this.settled === null;
    if (this.settled !== null) first.style.left = share((total * this.settled) / this.text.length);
    const isGood = total >= think.min && total <= think.max;
    this.length.className = `pill ${isGood ? "ok" : "warn"}`;
    this.length.title = say("trace.length_explained");
    this.length.textContent = say("trace.length", { length: total.toLocaleString(), min: think.min, max: think.max });
    const settled = this.settled === null ? say("trace.unsettled") : say("trace.settled", { share: this.#share });
    this.gauge.setAttribute("aria-label", `${this.length.textContent} · ${settled}`);
    this.gauge.title = this.gauge.getAttribute("aria-label");
  }

  /** What there is to say of the text; each leads to its places, one after the other. */
  #showFacts() {
    const { say, text, repeated } = this;
    if (!text) return fill(this.facts);
    const share = Math.max(1, Math.round((100 * repeated.reduce((sum, [from, to]) => sum + to - from, 0)) / text.length));
    const settled = this.settled === null ? null : [[this.settled - 1, this.settled]];
    const fact = (id, words, tone, found, title) =>
      h("button", { type: "button", class: `pill ${tone}`, id: `trace-${id}`, title, onclick: () => this.#lead(id, found) }, words);
    return fill(
      this.facts,
      settled
        ? fact("settled", say("trace.settled", { share: this.#share }), "plain", settled, say("trace.settled_explained"))
        : h("span", { class: "pill plain", title: say("trace.unsettled_explained") }, say("trace.unsettled")),
      this.argued.length > 0 && fact("argued", say("trace.argued", { number: this.argued.length }), "bad", this.argued, say("trace.argued_explained")),
      this.forbidden.length > 0 && fact("banned", say("trace.banned", { number: this.forbidden.length }), "bad", this.forbidden, say("trace.banned_explained")),
      repeated.length > 0 && fact("repeated", say("trace.repeated", { share }), "warn", repeated, say("trace.repeated_explained")),
    );
  }

  #lead(id, found) {
    this.led = this.led?.id === id ? { id, at: (this.led.at + 1) % found.length } : { id, at: 0 };
    this.#show(found[this.led.at]);
  }

  #show(place) {
    if (!place) return;
    this.mark("pw-current", [place]);
    this.reveal(place);
  }

  #searchSoon() {
    clearTimeout(this.searching);
    this.searching = setTimeout(() => this.#search(), SEARCH_PAUSE_MS);
  }

  async #search() {
    const { text } = this;
    await this.drawn;
    if (text !== this.text) return;
    this.found = places(text, [this.find.value]);
    this.at = -1;
    this.mark("pw-found", this.found);
    this.mark("pw-current", []);
    this.count.textContent = this.find.value ? `0/${this.found.length}` : "";
    this.#go(1);
  }

  #go(by) {
    if (!this.found.length) return;
    this.at = (this.at + by + this.found.length) % this.found.length;
    this.count.textContent = `${this.at + 1}/${this.found.length}`;
    this.#show(this.found[this.at]);
  }

  #onFindKey(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") this.#go(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") {
      this.find.value = "";
      this.#search();
      this.body.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Left and right go from name to name; what Enter does on one is not the trace's business. */
  #onKey(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const { marks } = this.sheet;
    if (!by || !marks.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = marks.findIndex(({ node }) => node === document.activeElement);
    const next = at < 0 ? this.#firstInSight(marks) : Math.min(Math.max(at + by, 0), marks.length - 1);
    marks[next].node.focus();
    event.preventDefault();
  }

  #firstInSight(marks) {
    const { top } = this.body.getBoundingClientRect();
    const at = marks.findIndex(({ node }) => node.getBoundingClientRect().top >= top);
    return Math.max(at, 0);
  }
}
