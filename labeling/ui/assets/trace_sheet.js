/**
 * The text of a trace on screen. It is cut into blocks of lines; of a long one only those near the
 * eye hold text, the others keep their height, so that 200,000 characters cost no more than a page.
 */

import { fill, h } from "./dom.js";
import { linesOf } from "./trace_text.js";

const BLOCK_FROM = 600; // characters
const MOST_ALWAYS_FILLED = 40; // blocks; a usual trace is all there, for the browser's own search too
const AHEAD = "900px 0px";
// Browsers colour anew at every change of the page, so each key typed anywhere pays for all that is coloured.
const SEEN = "100px 0px";
const LINE_PX = 25.9;
const SIGN_PX = 14;

export class TraceSheet {
  /** `onmark(node, mention)` for every mention of an expert that is drawn. */
  constructor(root, { onmark }) {
    Object.assign(this, { root, onmark });
    this.blocks = [];
    this.coloured = new Map();
    this.painted = new Map();
    this.observers = [];
    root.addEventListener("copy", (event) => this.#onCopy(event));
  }

  /** Begin with a text and the mentions of experts in it (`trace_text.mentions`); `hueOf(name)` is an expert's colour. */
  start(text, named, hueOf) {
    Object.assign(this, { text, named, hueOf });
    for (const observer of this.observers) observer.disconnect();
    this.observers = [];
    this.coloured.clear();
    this.blocks = blocksOf(text, named);
    const isWhole = this.blocks.length <= MOST_ALWAYS_FILLED;
    const signs = Math.max(10, Math.floor(this.root.clientWidth / SIGN_PX));
    for (const block of this.blocks) {
      block.node = h("div", { class: "trace-block" });
      if (!isWhole) block.node.style.minHeight = `${heightOf(block, text, signs)}px`;
    }
    fill(this.root, this.blocks.map(({ node }) => node));
    for (const block of isWhole ? this.blocks : this.blocks.slice(0, 3)) this.#fill(block);
    if (!isWhole) this.#watch(AHEAD, (block, isNear) => (isNear ? this.#fill(block, false) : this.#empty(block)));
    this.#watch(SEEN, (block, isSeen) => (block.isSeen = isSeen));
  }

  /** The text nodes that are drawn, in order: `{start, node}`. */
  get pieces() {
    return this.#drawn.flatMap(({ pieces }) => pieces);
  }

  /** The mentions that are drawn: `{node, start, end, name}`. */
  get marks() {
    return this.#drawn.flatMap(({ marks }) => marks);
  }

  /** The node of a mention, drawn if it was not. */
  markOf(mention) {
    const block = this.#blockAt(mention.start);
    this.#fill(block);
    return block.marks.find(({ start }) => start === mention.start).node;
  }

  /** Colour places, `[start, end]` in order, where they are seen, without touching the nodes; browsers that cannot do it show plain text. */
  highlight(name, found) {
    this.coloured.set(name, found);
    this.#paint(name);
  }

  /** Bring a place in sight. */
  show(start) {
    const block = this.#blockAt(start);
    if (!block) return;
    this.#fill(block);
    this.#pieceAt(block, start).node.parentElement.scrollIntoView({ block: "center", behavior: "instant" });
  }

  /** Which place of the text a point on screen is, given as browsers do: a node and an offset in it. */
  offsetOf(node, offset) {
    const { pieces } = this;
    const piece = pieces.find((each) => each.node === node);
    if (piece) return piece.start + offset;
    const point = document.createRange();
    point.setStart(node, offset);
    return pieces.find((each) => point.comparePoint(each.node, 0) >= 0)?.start ?? this.text.length;
  }

  get #drawn() {
    return this.blocks.filter(({ pieces }) => pieces);
  }

  /** Tell of every block that comes within a margin of the eye, or leaves it. */
  #watch(margin, tell) {
    const blockOf = new Map(this.blocks.map((block) => [block.node, block]));
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) tell(blockOf.get(target), isIntersecting);
        this.#paintAll();
      },
      { root: this.root, rootMargin: margin },
    );
    for (const { node } of this.blocks) observer.observe(node);
    this.observers.push(observer);
  }

  #fill(block, isPainted = true) {
    if (block.pieces) return;
    Object.assign(block, { pieces: [], marks: [] });
    let mention = block.mention;
    const lines = block.lines.map(([start, end]) => {
      const nodes = [];
      let at = start;
      for (; this.named[mention]?.start < end; mention++) {
        const each = this.named[mention];
        if (each.start > at) nodes.push(this.#piece(block, at, each.start));
        nodes.push(this.#mark(block, each));
        at = each.end;
      }
      if (at < end) nodes.push(this.#piece(block, at, end));
      return h("p", {}, nodes);
    });
    fill(block.node, lines);
    block.node.style.minHeight = "";
    if (isPainted) this.#paintAll();
  }

  /** Far from the eye again: its height stays, and so does a block in which something is selected or focused. */
  #empty(block) {
    const selection = getSelection();
    const isHeld = [document.activeElement, selection.anchorNode, selection.focusNode].some((node) => node && block.node.contains(node) && node !== block.node);
    if (!block.pieces || isHeld) return;
    block.node.style.minHeight = `${block.node.offsetHeight}px`;
    fill(block.node);
    block.pieces = block.marks = null;
  }

  #mark(block, mention) {
    const node = h("mark", { role: "button", tabindex: -1, data: { expert: mention.name } }, this.#piece(block, mention.start, mention.end));
    node.style.setProperty("--hue", this.hueOf(mention.name));
    block.marks.push({ ...mention, node });
    this.onmark(node, mention);
    return node;
  }

  #piece(block, start, end) {
    const node = document.createTextNode(this.text.slice(start, end));
    block.pieces.push({ start, node });
    return node;
  }

  #paintAll() {
    for (const name of this.coloured.keys()) this.#paint(name);
  }

  #paint(name) {
    if (!("highlights" in CSS)) return;
    const found = this.coloured.get(name);
    const seen = this.#drawn.filter(({ isSeen }) => isSeen);
    const ranges = seen.flatMap((block) => within(found, block).map(([start, end]) => this.#range(block, start, end)));
    // Another trace on the page has its ranges under the same name.
    const all = CSS.highlights.get(name) ?? new Highlight();
    for (const each of this.painted.get(name) ?? []) all.delete(each);
    for (const each of ranges) all.add(each);
    this.painted.set(name, ranges);
    if (all.size) CSS.highlights.set(name, all);
    else CSS.highlights.delete(name);
  }

  #range(block, start, end) {
    const [first, last] = [this.#pieceAt(block, start), this.#pieceAt(block, end - 1)];
    const inside = (piece, offset) => Math.min(Math.max(offset - piece.start, 0), piece.node.length);
    // Static ones: the nodes never change, and the page need not keep them true.
    return new StaticRange({ startContainer: first.node, startOffset: inside(first, start), endContainer: last.node, endOffset: inside(last, end) });
  }

  #blockAt(offset) {
    return this.blocks[lastAt(this.blocks, offset)];
  }

  #pieceAt({ pieces }, offset) {
    return pieces[lastAt(pieces, offset)];
  }

  /** What is selected may reach over blocks that hold no text just now. */
  #onCopy(event) {
    const range = getSelection().rangeCount ? getSelection().getRangeAt(0) : null;
    if (!range || !this.root.contains(range.commonAncestorContainer)) return;
    const [start, end] = [this.offsetOf(range.startContainer, range.startOffset), this.offsetOf(range.endContainer, range.endOffset)];
    event.clipboardData.setData("text/plain", this.text.slice(start, end));
    event.preventDefault();
  }
}

/** Lines in blocks: `{start, end, lines, mention}`; `mention` is the first one that may stand in it. */
function blocksOf(text, named) {
  const blocks = [];
  let mention = 0;
  for (const [start, end] of linesOf(text, named)) {
    const last = blocks.at(-1);
    if (last && end - last.start <= BLOCK_FROM) {
      last.lines.push([start, end]);
      last.end = end;
      continue;
    }
    while (named[mention]?.start < start) mention++;
    blocks.push({ start, end, lines: [[start, end]], mention, pieces: null, marks: null });
  }
  return blocks;
}

/** About how high a block will be, with so many Chinese signs on a line. */
function heightOf({ lines }, text, signs) {
  const rows = lines.map(([start, end]) => {
    const latin = text.slice(start, end).match(/[\u0020-\u024f]/g)?.length ?? 0;
    return Math.max(1, Math.ceil((end - start - latin / 2) / signs));
  });
  return LINE_PX * rows.reduce((sum, each) => sum + each, 0);
}

/** The parts of sorted places that lie in a block. */
function within(found, { start, end }) {
  const parts = [];
  for (let at = Math.max(0, lastAt(found, start, (place) => place[0])); at < found.length && found[at][0] < end; at++) {
    const [from, to] = [Math.max(found[at][0], start), Math.min(found[at][1], end)];
    if (from < to) parts.push([from, to]);
  }
  return parts;
}

/** The place of the last entry that begins at or before an offset; 0 where all begin later. */
function lastAt(sorted, offset, startOf = (entry) => entry.start) {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (startOf(sorted[middle]) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
