/** The dialogue of an item, and the panels with its expert list and the project's guideline. */

import { fill, h, openDialog } from "./dom.js";
import { changePill, describe } from "./list_changes.js";
import { showMarkdown } from "./markdown.js";

export class Dialogue {
  constructor(root, { say, keys }) {
    Object.assign(this, { root, say, keys });
  }

  /** Show an item; `about` is what stands on the right of its head. */
  open(item, { hues, changes, about }) {
    Object.assign(this, { item, hues, changes });
    const list = item.expert_list;
    const listPill = h(
      "button",
      { type: "button", class: "pill", id: "open-experts", onclick: () => this.openExperts() },
      this.say("dialogue.list", { name: list.name, version: list.version, number: list.experts.length }),
      this.keys.show("experts"),
    );
    const guide = item.guideline
      ? h("button", { type: "button", class: "quiet", id: "open-guideline", onclick: () => this.openGuideline() }, this.say("dialogue.guideline"), this.keys.show("guideline"))
      : null;
    const turns = h("div", { class: "turns", tabindex: item.history.length ? 0 : null }, item.history.map((turn) => this.#turn(turn)));
    fill(
      this.root,
      h("div", { class: "card-head" }, h("h3", {}, this.say("dialogue.title")), listPill, guide, h("span", { class: "right" }, about)),
      item.history.length ? turns : null,
      h("p", { class: "query", id: "query-text" }, item.text),
    );
    turns.scrollTop = turns.scrollHeight;
  }

  #turn({ role, content }) {
    const known = ["user", "assistant", "system", "tool"].includes(role);
    return h("div", { class: `turn is-${role === "user" ? "user" : "other"}` }, h("span", {}, known ? this.say(`dialogue.${role}`) : role), h("span", {}, content));
  }

  openGuideline() {
    if (!this.item?.guideline) return;
    openDialog({
      title: this.say("dialogue.guideline"),
      className: "drawer",
      closeLabel: this.say("dialogue.close"),
      body: h("div", { class: "markdown" }, showMarkdown(this.item.guideline)),
    });
  }

  /** The pinned list; with `typed` only what it matches. */
  openExperts(typed = "") {
    if (!this.item) return;
    const { expert_list: list } = this.item;
    const rows = h("div", { class: "expert-rows" });
    const draw = () => fill(rows, this.#sections(list, find.value.trim().toLowerCase()));
    const find = h("input", { type: "search", class: "field", value: typed, placeholder: this.say("dialogue.find_expert"), "aria-label": this.say("dialogue.find_expert"), oninput: draw });
    draw();
    openDialog({
      title: this.say("dialogue.list", { name: list.name, version: list.version, number: list.experts.length }),
      className: "drawer",
      closeLabel: this.say("dialogue.close"),
      body: [find, rows],
    });
    find.focus();
  }

  #sections(list, wanted) {
    const has = (thing) => JSON.stringify(Object.values(thing)).toLowerCase().includes(wanted);
    const section = (title, nodes) => (nodes.length ? [h("h4", {}, title), ...nodes] : []);
    return [
      section(this.say("dialogue.experts"), list.experts.filter(has).map((expert) => this.#expert(expert))),
      section(this.say("dialogue.tools"), list.tools.filter(has).map((thing) => this.#thing(thing))),
      section(this.say("dialogue.services"), list.services.filter(has).map((thing) => this.#thing(thing))),
    ];
  }

  #expert(expert) {
    const change = this.changes.get(expert.name);
    const row = h("div", { class: "expert-row" }, h("b", {}, expert.name, " ", changePill(change, this.say)), describe(expert, change, this.say));
    row.style.setProperty("--hue", this.hues.get(expert.name));
    return row;
  }

  #thing(thing) {
    const { name, description, ...others } = thing;
    const rest = Object.entries(others).map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
    return h("div", { class: "expert-row" }, h("b", {}, name ?? "–"), description && h("p", {}, String(description)), rest.map((line) => h("p", { class: "faint" }, line)));
  }
}

/** Expert name → its colour; the same name has the same colour wherever it appears in a list. */
export function huesOf(list) {
  return new Map(list.experts.map((expert, at) => [expert.name, `var(--pw-s${(at % 8) + 1})`]));
}
