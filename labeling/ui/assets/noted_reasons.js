/** Reasons that a reviewer notes while reading on; they go back to the author in one return. */

import { banner } from "./desk.js";
import { h } from "./dom.js";
import { reasonList } from "./reasons.js";

const STORE = "planwright.reasons.";

export class NotedReasons {
  /**
   * `show` brings a noted place in sight (`{goPath, goSpan}`), `changed()` hears of every change,
   * `send()` of the wish to return now.
   */
  constructor({ say, root, wordsOf, show, changed, send }) {
    Object.assign(this, { say, root, wordsOf, show, changed, send });
    this.node = h("div", { id: "noted-reasons" });
    this.list = [];
  }

  /** Those of an item, also after a reload. */
  open(item) {
    this.item = item;
    this.list = stored(item.revision_id);
    this.#draw();
  }

  add(reason) {
    this.#keep([...this.list, reason]);
  }

  /** Forget all of them: the item is decided on. */
  clear() {
    this.#keep([]);
  }

  get paths() {
    return this.list.map(({ path }) => path).filter(Boolean);
  }

  get spans() {
    return this.list.map(({ span }) => span).filter(Boolean);
  }

  /** As they are shown, here and in the question before a return. */
  nodes(options = {}) {
    const shown = this.list.map((each) => ({ ...each, words: this.wordsOf(each.code) }));
    return reasonList(shown, { plan: this.item.plan, say: this.say, ...options });
  }

  #keep(list) {
    this.list = list;
    const key = STORE + this.item.revision_id;
    if (list.length) localStorage.setItem(key, JSON.stringify(list));
    else localStorage.removeItem(key);
    this.#draw();
    this.changed();
  }

  #draw() {
    this.node.remove();
    if (!this.list.length) return;
    const { say } = this;
    const remove = (at) => this.#keep(this.list.toSpliced(at, 1));
    this.node.replaceChildren(
      banner("warn", [h("b", {}, say("review.noted", { count: this.list.length })), this.nodes({ ...this.show, remove })], [[say("review.noted_send"), () => this.send(), "noted-send"]]),
    );
    this.root.append(this.node);
  }
}

function stored(revision_id) {
  try {
    const list = JSON.parse(localStorage.getItem(STORE + revision_id));
    return Array.isArray(list) ? list.filter((each) => typeof each?.code === "string") : [];
  } catch {
    return [];
  }
}
