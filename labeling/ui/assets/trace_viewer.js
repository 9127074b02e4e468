/** The model's thinking: long texts stay fast, experts are marked, length stands against its target. */

import { fill, h } from "./dom.js";
import { inSlices } from "./slices.js";
import { TraceSheet } from "./trace_sheet.js";
import { mentions, places, repeats, sentencesWith, settledAt } from "./trace_text.js";

const GAUGE_END = 1.8; // the gauge ends at this many times the longest good length, or where the trace does
const SEARCH_PAUSE_MS = 60;

export class TraceViewer {
  constructor(root, { say, keys }) {
    Object.assign(this, { root, say, keys });
    this.text = "";
    this.names = new Set();
    const hint = h("p", { class: "only-heard", id: "trace-hint" }, say("trace.keys_hint"));
    this.body = h("div", { class: "trace", tabindex: 0, role: "region", "aria-label": say("trace.title"), "aria-describedby": hint.id, onkeydown: (event) => this.#onKey(event) });
    this.sheet = new TraceSheet(this.body, { onmark: (node, mention) => this.#showMark(node, mention) });
    this.gauge = h("span", { class: "gauge", role: "img" }, h("i"), h("u"));
    this.length = h("span", { class: "pill" });
    this.facts = h("div", { class: "facts" });
    this.fold = h("button", { type: "button", class: "quiet", id: "trace-fold", onclick: () => this.toggleFold() });
    this.find = h("input", { type: "search", class: "find", id: "trace-find", placeholder: say("trace.search"), "aria-label": say("trace.search"), oninput: () => this.#searchSoon(), onkeydown: (event) => this.#onFindKey(event) });
    this.count = h("span", { class: "count", role: "status" });
    const tools = h("span", { class: "right" }, this.fold, h("span", { class: "finder" }, this.find, keys.show("search"), this.count));
    fill(root, h("div", { class: "card-head" }, h("h3", {}, say("trace.title")), this.gauge, this.length, this.facts, tools), this.body, hint);
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
    for (const name of this.sheet.coloured.keys()) this.mark(name, []);
    this.namesKey = null;
    this.body.scrollTop = 0;
    this.sheet.start(text, this.named, (name) => hues.get(name));
    if (text) this.#read(banned);
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
    for (const each of this.sheet.marks) this.#showMark(each.node, each);
    this.mark("pw-argued", this.argued);
    this.#measure();
    this.#showFacts();
  }

  /** Light the mentions of one expert, or of none. */
  light(name) {
    this.lit = name;
    for (const each of this.sheet.marks) each.node.classList.toggle("is-lit", each.name === name);
  }

  /** Colour these places, `[start, end]` in order, with the highlight of a name. */
  mark(name, found) {
    this.sheet.highlight(name, found);
  }

  /** Bring a place in sight. */
  reveal([start]) {
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

  /** What is banned and what is repeated, in slices. */
  async #read(banned) {
    const { text, experts } = this;
    const isOver = () => text !== this.text || experts !== this.experts;
    this.forbidden = places(text, banned);
    this.mark("pw-banned", this.forbidden);
    const repeated = await inSlices(repeats(text), isOver);
    if (!repeated || isOver()) return;
    this.repeated = repeated;
    this.mark("pw-repeated", repeated);
    this.#showFacts();
  }

  #showMark(node, { name, end }) {
    node.classList.toggle("is-unused", !this.names.has(name));
    node.classList.toggle("is-lit", name === this.lit);
    const isSettled = end === this.settled;
    if (isSettled === node.classList.contains("is-settled")) return;
    node.classList.toggle("is-settled", isSettled);
    node.title = isSettled ? this.say("trace.settled_explained") : "";
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

  #search() {
    this.found = places(this.text, [this.find.value]);
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
    const { named, sheet } = this;
    if (!by || !named.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const here = sheet.marks.find(({ node }) => node === document.activeElement) ?? this.#justBefore(sheet.marks);
    const at = here ? named.findIndex(({ start }) => start === here.start) + by : 0;
    sheet.markOf(named[Math.min(Math.max(at, 0), named.length - 1)]).focus();
    event.preventDefault();
  }

  /** The last name above what is in sight: the first key leads into it. */
  #justBefore(marks) {
    const { top } = this.body.getBoundingClientRect();
    return marks.findLast(({ node }) => node.getBoundingClientRect().top < top);
  }
}
