/** A text of the plan: grows with what is typed, and shows in place what is new against the model's. */

import { diffText } from "./diff.js";
import { fill, formOf, grow, h } from "./dom.js";

export class PlanField {
  /** `onedit(text)` at every change. */
  constructor({ path, value, placeholder, onedit }) {
    this.area = h("textarea", {
      rows: 1,
      value,
      placeholder,
      spellcheck: "false",
      data: { path },
      oninput: () => {
        grow(this.area);
        this.#mark();
        onedit(this.area.value);
      },
    });
    this.marks = h("div", { class: "typed-marks", "aria-hidden": "true" });
    this.node = formOf({ class: "typed" }, this.marks, this.area);
    this.before = null;
  }

  /** Compare with this text from now on; with null nothing is marked. */
  compareWith(before) {
    if (before === this.before) return;
    this.before = before;
    this.#mark();
  }

  get isChanged() {
    return this.before !== null && this.before !== this.area.value;
  }

  /** The same text behind the field, transparent but for what is new; a bar stands where words are gone. */
  #mark() {
    if (!this.isChanged || !this.area.value) return this.marks.firstChild && fill(this.marks);
    const nodes = diffText(this.before, this.area.value).map(({ kind, text }) =>
      kind === "same" ? text : kind === "new" ? h("ins", {}, text) : h("i"),
    );
    // A line break at the very end has no height in a block, though it has in a field.
    return fill(this.marks, nodes, "\u200b");
  }
}
