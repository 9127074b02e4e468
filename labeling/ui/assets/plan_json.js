/** The raw JSON of a plan: what is typed stays as it is, and an error is named with its place. */

import { fill, h } from "./dom.js";
import { readJson } from "./json_text.js";

export class PlanJson {
  /** `change({content, raw})`: `raw` is the text while it is not valid JSON, else null. */
  constructor(root, { say, change }) {
    Object.assign(this, { say, change });
    this.area = h("textarea", {
      class: "raw-json",
      id: "plan-json",
      spellcheck: "false",
      autocapitalize: "off",
      wrap: "off",
      "aria-label": say("editor.json"),
      oninput: () => this.#onType(),
      onkeydown: (event) => this.#onKey(event),
    });
    this.message = h("div", { class: "json-message", role: "status" });
    fill(root, this.area, this.message);
  }

  /** Show a state; text that already says the same is not touched, so the caret stays. */
  show({ content, raw }) {
    const read = raw === null ? readJson(this.area.value) : null;
    const isSame = raw === null ? !read.error && same(read.value, content) : this.area.value === raw;
    if (!isSame) this.area.value = raw ?? JSON.stringify(content, null, 2);
    this.area.rows = Math.min(Math.max(this.area.value.split("\n").length + 1, 12), 40);
    this.#explain(raw === null ? null : readJson(raw).error);
  }

  focus() {
    this.area.focus();
  }

  #onType() {
    const text = this.area.value;
    const { value, error } = readJson(text);
    this.#explain(error);
    this.change(error ? { raw: text } : { content: value, raw: null });
  }

  #explain(error) {
    if (!error) return fill(this.message);
    const { line, column, code, detail, at } = error;
    const where = this.say("editor.json_at", { line, column });
    const go = () => {
      this.area.focus();
      this.area.setSelectionRange(at, Math.min(at + 1, this.area.value.length));
    };
    return fill(
      this.message,
      h("button", { type: "button", class: "problem", onclick: go }, where, this.say(`editor.json_${code}`, { detail })),
    );
  }

  #onKey(event) {
    if (event.key !== "Tab" || event.shiftKey || event.ctrlKey || event.altKey) return;
    const { selectionStart: start, selectionEnd: end, value } = this.area;
    // Tab indents inside the text; at its very end it leaves the field, so that keys can get out.
    if (start === value.length) return;
    event.preventDefault();
    this.area.setRangeText("  ", start, end, "end");
    this.#onType();
  }
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
