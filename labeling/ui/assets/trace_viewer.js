/** The model's thinking: long texts stay fast, experts are marked, length stands against its target. */

import { fill, h, pill } from "./dom.js";
import { mentions, places, repeats } from "./trace_text.js";

const FIRST_LINES = 120;
const LINES_AT_ONCE = 800;
const GAUGE_END = 1.8; // the gauge ends at this many times the longest good length

export class TraceViewer {
  constructor(root, { say, keys }) {
    Object.assign(this, { root, say, keys });
    this.text = "";
    this.body = h("div", { class: "trace", tabindex: 0, role: "region", "aria-label": say("trace.title") });
    this.gauge = h("span", { class: "gauge" }, h("i"));
    this.length = pill("", "");
    this.facts = h("span", { class: "facts" });
    this.settled = h("span", { class: "settled" });
    this.fold = h("button", { type: "button", class: "quiet", id: "trace-fold", onclick: () => this.toggleFold() });
    this.find = h("input", { type: "search", class: "find", id: "trace-find", placeholder: say("trace.search"), "aria-label": say("trace.search"), oninput: () => this.#search(), onkeydown: (event) => this.#onFindKey(event) });
    this.count = h("span", { class: "count", role: "status" });
    const tools = h("span", { class: "right" }, this.settled, this.fold, h("span", { class: "finder" }, this.find, keys.show("search"), this.count));
    fill(root, h("div", { class: "card-head" }, h("h3", {}, say("trace.title")), this.gauge, this.length, this.facts, tools), this.body);
    this.#setFolded(false);
  }

  /** Show a trace: `{trace, length, think: {min, max}, experts, hues, banned, absent}`. */
  open({ trace, length, think, experts, hues, banned, absent }) {
    const text = trace ?? "";
    this.root.classList.toggle("is-empty", !text);
    if (text === this.text && this.experts === experts) return;
    Object.assign(this, { text, experts });
    this.find.value = "";
    this.#measure(length, think, Boolean(text));
    this.named = mentions(text, experts);
    this.hues = hues;
    this.pieces = [];
    this.left = { lines: text.split("\n"), line: 0, start: 0, mention: 0 };
    for (const name of ["pw-banned", "pw-repeated", "pw-found", "pw-current"]) this.#highlight(name, []);
    fill(this.body, text ? null : h("p", { class: "absent" }, absent));
    fill(this.facts);
    this.count.textContent = "";
    this.body.scrollTop = 0;
    if (!text) return;
    this.#draw(FIRST_LINES);
    setTimeout(() => this.#drawOn(text, banned));
  }

  /** Mark experts that the trace names and the plan does not call, and where all were first named. */
  setPlanExperts(names) {
    const key = [...names].sort().join("\n");
    if (key === this.namesKey && this.markedText === this.text) return;
    Object.assign(this, { namesKey: key, markedText: this.text, names });
    for (const mark of this.body.querySelectorAll("mark")) mark.classList.toggle("is-dropped", !names.has(mark.dataset.expert));
    const firsts = [...names].map((name) => this.named.find((each) => each.name === name)?.start);
    const isSettled = firsts.length && firsts.every((at) => at !== undefined);
    const share = isSettled ? Math.round((100 * Math.max(...firsts)) / this.text.length) : null;
    this.settled.textContent = share === null ? "" : this.say("trace.settled", { share });
    this.settled.title = this.say("trace.settled_explained");
  }

  /** Colour passages `[start, end]` of the text under a name of ours. */
  mark(name, passages) {
    if (passages.length) this.#draw(Infinity);
    return this.#highlight(name, passages);
  }

  /** Bring a passage in sight. */
  reveal([start, end]) {
    this.#draw(Infinity);
    this.#setFolded(false);
    this.#range(start, end).startContainer.parentElement.scrollIntoView({ block: "center", behavior: "instant" });
  }

  /** Where what is selected on the page begins and ends in the text; null when it is elsewhere. */
  get selected() {
    const selection = document.getSelection();
    if (!selection?.rangeCount || selection.isCollapsed) return null;
    const range = selection.getRangeAt(0);
    const pieces = this.pieces?.filter(({ node }) => range.intersectsNode(node)) ?? [];
    if (!pieces.length || !this.body.contains(range.commonAncestorContainer)) return null;
    const [first, last] = [pieces[0], pieces.at(-1)];
    const start = first.start + (first.node === range.startContainer ? range.startOffset : 0);
    const end = last.start + (last.node === range.endContainer ? range.endOffset : last.node.length);
    return end > start ? [start, end] : null;
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

  #measure(length, think, hasTrace) {
    this.gauge.hidden = this.length.hidden = !hasTrace;
    const end = think.max * GAUGE_END;
    const share = (value) => `${Math.min(100, (100 * value) / end).toFixed(1)}%`;
    this.gauge.style.setProperty("--from", share(think.min));
    this.gauge.style.setProperty("--to", share(think.max));
    this.gauge.firstChild.style.left = share(length);
    const isGood = length >= think.min && length <= think.max;
    this.length.className = `pill ${isGood ? "ok" : "warn"}`;
    this.length.title = this.say("trace.length_explained");
    this.length.textContent = this.say("trace.length", { length: length.toLocaleString(), min: think.min, max: think.max });
  }

  /** The rest of a long text in slices, between which the page stays alive; then its marks. */
  #drawOn(text, banned) {
    if (text !== this.text) return;
    if (this.#draw(LINES_AT_ONCE)) {
      setTimeout(() => this.#drawOn(text, banned));
      return;
    }
    const forbidden = places(text, banned);
    this.#highlight("pw-banned", forbidden);
    const found = repeats(text);
    this.#highlight("pw-repeated", found);
    const share = Math.max(1, Math.round((100 * found.reduce((sum, [from, to]) => sum + to - from, 0)) / text.length));
    fill(
      this.facts,
      forbidden.length > 0 && pill(this.say("trace.banned"), "bad"),
      found.length > 0 && pill(this.say("trace.repeated", { share }), "warn"),
    );
  }

  /** Draw so many more lines; whether some are left. Every piece of text is a node that `pieces` can find. */
  #draw(most) {
    const { left, text } = this;
    const lines = left.lines.slice(left.line, left.line + most);
    this.body.append(...lines.map((line) => this.#line(text, left, left.start + line.length)));
    left.line += lines.length;
    return left.line < left.lines.length;
  }

  #line(text, left, end) {
    const nodes = [];
    let at = left.start;
    for (; this.named[left.mention]?.start < end; left.mention++) {
      const mention = this.named[left.mention];
      if (mention.start > at) nodes.push(this.#piece(text, at, mention.start));
      const isDropped = this.names && this.markedText === text && !this.names.has(mention.name);
      const mark = h("mark", { class: isDropped ? "is-dropped" : null, data: { expert: mention.name } }, this.#piece(text, mention.start, mention.end));
      mark.style.setProperty("--hue", this.hues.get(mention.name));
      nodes.push(mark);
      at = mention.end;
    }
    if (at < end) nodes.push(this.#piece(text, at, end));
    left.start = end + 1;
    return h("p", {}, nodes);
  }

  #piece(text, start, end) {
    const node = document.createTextNode(text.slice(start, end));
    this.pieces.push({ start, node });
    return node;
  }

  #search() {
    this.#draw(Infinity);
    this.found = places(this.text, [this.find.value]);
    this.at = -1;
    this.#highlight("pw-found", this.found);
    this.#highlight("pw-current", []);
    this.count.textContent = this.find.value ? `0/${this.found.length}` : "";
    if (this.found.length) this.#go(1);
  }

  #go(by) {
    if (!this.found?.length) return;
    this.at = (this.at + by + this.found.length) % this.found.length;
    this.count.textContent = `${this.at + 1}/${this.found.length}`;
    const [range] = this.#highlight("pw-current", [this.found[this.at]]);
    const place = range?.startContainer.parentElement;
    this.#setFolded(false);
    place?.scrollIntoView({ block: "center", behavior: "instant" });
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

  /** Colour places without touching the nodes; browsers that cannot do it show plain text. */
  #highlight(name, found) {
    if (!("highlights" in CSS)) return [];
    const ranges = found.map(([start, end]) => this.#range(start, end));
    if (ranges.length) CSS.highlights.set(name, new Highlight(...ranges));
    else CSS.highlights.delete(name);
    return ranges;
  }

  #range(start, end) {
    const range = document.createRange();
    const [first, last] = [this.#pieceAt(start), this.#pieceAt(end - 1)];
    range.setStart(first.node, Math.min(start - first.start, first.node.length));
    range.setEnd(last.node, Math.min(end - last.start, last.node.length));
    return range;
  }

  #pieceAt(offset) {
    let [low, high] = [0, this.pieces.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.pieces[middle].start <= offset) low = middle;
      else high = middle - 1;
    }
    return this.pieces[low];
  }
}
