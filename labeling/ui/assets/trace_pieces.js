/** The text of a trace on screen: drawn in slices, every piece a text node that can be found again. */

import { fill, h } from "./dom.js";
import { linesOf } from "./trace_text.js";

const SLICE_MS = 8;
const LINES_BETWEEN_LOOKS = 20;

/** Run a generator in slices between which the page stays alive; resolves with what it returns, or null if `isOver()`. */
export async function inSlices(work, isOver) {
  for (;;) {
    const until = performance.now() + SLICE_MS;
    do {
      const { done, value } = work.next();
      if (done) return value;
    } while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve));
    if (isOver()) return null;
  }
}

export class TracePieces {
  constructor(root) {
    this.root = root;
    this.pieces = [];
    this.marks = [];
    this.isDrawn = false;
  }

  /** Begin with a text and the mentions of experts in it; `hueOf(name)` is an expert's colour. */
  start(text, named, hueOf) {
    Object.assign(this, { text, named, hueOf, pieces: [], marks: [], marksOf: new Map(), isDrawn: false });
    fill(this.root);
  }

  /** Draws line by line, first those in sight; a generator that yields from time to time. */
  *draw() {
    let mention = 0;
    let lines = [];
    const flush = () => {
      this.root.append(...lines);
      lines = [];
    };
    for (const [start, end] of linesOf(this.text)) {
      const nodes = [];
      let at = start;
      for (; this.named[mention]?.start < end; mention++) {
        const each = this.named[mention];
        if (each.start > at) nodes.push(this.#piece(at, each.start));
        nodes.push(this.#mark(each, Math.min(each.end, end)));
        at = Math.min(each.end, end);
      }
      if (at < end) nodes.push(this.#piece(at, end));
      lines.push(h("p", {}, nodes));
      if (lines.length < LINES_BETWEEN_LOOKS) continue;
      flush();
      yield;
    }
    flush();
    this.isDrawn = true;
  }

  #mark({ start, name }, end) {
    const node = h("mark", { role: "button", tabindex: -1, data: { expert: name } }, this.#piece(start, end));
    node.style.setProperty("--hue", this.hueOf(name));
    this.marks.push({ start, end, node });
    if (!this.marksOf.has(name)) this.marksOf.set(name, []);
    this.marksOf.get(name).push(node);
    this.onmark?.(node, name, end);
    return node;
  }

  #piece(start, end) {
    const node = document.createTextNode(this.text.slice(start, end));
    this.pieces.push({ start, node });
    return node;
  }

  /** Colour places without touching the nodes; browsers that cannot do it show plain text. */
  highlight(name, found) {
    if (!("highlights" in CSS)) return;
    if (found.length && this.pieces.length) CSS.highlights.set(name, new Highlight(...found.map(([start, end]) => this.#range(start, end))));
    else CSS.highlights.delete(name);
  }

  /** Bring a place in sight. */
  show(start) {
    this.#pieceAt(start)?.node.parentElement.scrollIntoView({ block: "center", behavior: "instant" });
  }

  /** Which place of the text a point on screen is, given as browsers do: a node and an offset in it. */
  offsetOf(node, offset) {
    const piece = this.pieces.find((each) => each.node === node);
    if (piece) return piece.start + offset;
    const point = document.createRange();
    point.setStart(node, offset);
    return this.pieces.find((each) => point.comparePoint(each.node, 0) >= 0)?.start ?? this.text.length;
  }

  #range(start, end) {
    const [first, last] = [this.#pieceAt(start), this.#pieceAt(end - 1)];
    const inside = (piece, offset) => Math.min(offset - piece.start, piece.node.length);
    // Static ones: the nodes never change, and the page need not keep thousands of live ones true.
    return new StaticRange({
      startContainer: first.node, startOffset: inside(first, start), endContainer: last.node, endOffset: inside(last, end),
    });
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
