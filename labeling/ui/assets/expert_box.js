/** A field for an expert's name: type to narrow the list, arrows and Enter to take, free text allowed. */

import { fill, formOf, h } from "./dom.js";
import { changePill, describe } from "./list_changes.js";

let count = 0;

export class ExpertBox {
  /** `onedit(name)` at every change, `ontake()` after one was taken; `changes`: what is new of whom in the list. */
  constructor({ value, experts, changes, say, path, onedit, ontake }) {
    Object.assign(this, { experts, changes, say, onedit, ontake });
    this.id = `expert-list-${++count}`;
    this.active = -1;
    this.input = h("input", {
      class: "expert-name",
      type: "text",
      role: "combobox",
      value,
      autocomplete: "off",
      spellcheck: "false",
      placeholder: say("editor.expert_placeholder"),
      "aria-label": say("editor.expert"),
      "aria-expanded": "false",
      "aria-controls": this.id,
      "aria-autocomplete": "list",
      data: { path },
      oninput: () => this.#onType(),
      onkeydown: (event) => this.#onKey(event),
      onclick: () => this.open(""),
      onblur: () => this.#onLeave(),
    });
    this.list = h("ul", { id: this.id, class: "expert-choices", role: "listbox", "aria-label": say("editor.expert") });
    this.about = h("div", { class: "expert-about", id: `${this.id}-about` });
    this.popup = h("div", { class: "expert-popup", hidden: true, onmousedown: (event) => event.preventDefault() }, this.list, this.about);
    this.node = formOf({ class: "expert-box" }, this.input, this.popup);
    this.#fit();
  }

  /** Show the choices that match; an empty `typed` shows them all. */
  open(typed) {
    const wanted = typed.trim().toLowerCase();
    this.choices = this.experts
      .map((expert) => ({ expert, rank: rankOf(expert, wanted) }))
      .filter(({ rank }) => rank < 9)
      .sort((one, other) => one.rank - other.rank)
      .map(({ expert }) => expert);
    this.active = wanted && this.choices.length ? 0 : this.choices.findIndex((each) => each.name === this.input.value);
    fill(this.list, this.choices.length ? this.choices.map((each, at) => this.#choice(each, at)) : this.#nothing());
    this.popup.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.#mark();
    this.#place();
  }

  close() {
    this.popup.hidden = true;
    this.popup.classList.remove("is-above");
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.input.removeAttribute("aria-describedby");
  }

  /** Above the field, until it closes, where the bar at the foot would cover it and there is more room above. */
  #place() {
    const { top, bottom } = this.input.getBoundingClientRect();
    const room = (document.querySelector(".desk-footer")?.getBoundingClientRect().top ?? innerHeight) - bottom;
    if (room < this.popup.offsetHeight && top > room) this.popup.classList.add("is-above");
  }

  #choice(expert, at) {
    return h(
      "li",
      {
        id: `${this.id}-${at}`,
        role: "option",
        onmouseenter: () => this.#tell(expert),
        onclick: () => this.#take(expert),
      },
      h("b", {}, expert.name, changePill(this.changes.get(expert.name), this.say)),
      h("span", {}, expert.description),
    );
  }

  #nothing() {
    return h("li", { class: "nothing", role: "presentation" }, this.say("editor.no_such_expert"));
  }

  #mark() {
    [...this.list.children].forEach((node, at) => {
      if (!this.choices.length) return;
      node.setAttribute("aria-selected", String(at === this.active));
      if (at !== this.active) return;
      this.input.setAttribute("aria-activedescendant", node.id);
      node.scrollIntoView({ block: "nearest" });
    });
    this.#tell(this.choices[this.active] ?? null);
  }

  /** Under the list: all that is known of one expert, and what of it is new. */
  #tell(expert) {
    this.about.hidden = !expert;
    if (!expert) return;
    fill(this.about, describe(expert, this.changes.get(expert.name), this.say));
    this.input.setAttribute("aria-describedby", this.about.id);
  }

  #onType() {
    this.#fit();
    this.onedit(this.input.value);
    this.open(this.input.value);
  }

  #onKey(event) {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const isOpen = !this.popup.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!isOpen) this.open("");
      else this.active = (this.active + (event.key === "ArrowDown" ? 1 : -1) + this.choices.length) % (this.choices.length || 1);
      this.#mark();
    } else if (event.key === "Enter") {
      if (isOpen && this.choices[this.active]) this.#take(this.choices[this.active]);
      else this.ontake();
    } else if (event.key === "Escape" && isOpen) this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #take(expert) {
    this.input.value = expert.name;
    this.#fit();
    this.close();
    this.onedit(expert.name);
    this.ontake();
  }

  #onLeave() {
    this.close();
    const typed = this.input.value.trim();
    const known = this.experts.find((each) => each.aliases.includes(typed));
    if (known) this.input.value = known.name;
    else if (typed !== this.input.value) this.input.value = typed;
    else return;
    this.#fit();
    this.onedit(this.input.value);
  }

  #fit() {
    if (CSS.supports("field-sizing", "content")) return;
    // A Chinese character is as wide as two Latin letters.
    const width = [...(this.input.value || this.input.placeholder)].reduce((sum, sign) => sum + (sign > "\u2e7f" ? 2 : 1.05), 0);
    this.input.style.width = `calc(${Math.min(Math.max(width, 8), 48)}ch + 26px)`;
  }
}

/** 0 begins with it, 1 contains it, 2 an alias does, 3 the description does, 9 nothing does. */
function rankOf(expert, wanted) {
  const name = expert.name.toLowerCase();
  if (name.startsWith(wanted)) return 0;
  if (name.includes(wanted)) return 1;
  if (expert.aliases.some((alias) => alias.toLowerCase().includes(wanted))) return 2;
  return expert.description.toLowerCase().includes(wanted) ? 3 : 9;
}
