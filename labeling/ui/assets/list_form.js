/** A form for an expert list, and the same list as JSON, kept in step. */

import { fill, grow, h } from "./dom.js";

const WORDS = /[,，、\n]+/;

export class ListForm {
  constructor({ say, changed }) {
    this.say = say;
    this.tell = changed;
    this.root = h("div", { class: "ld-form", id: "draft-form" });
    this.isJson = false;
  }

  /** Show a list; it may be wrong as one. */
  show(content) {
    this.list = JSON.parse(JSON.stringify(content));
    for (const key of ["experts", "tools", "services"]) if (!Array.isArray(this.list[key])) this.list[key] = [];
    this.text = null;
    this.draw();
  }

  /** What is typed; null where the JSON is none. */
  content() {
    if (this.text === null) return this.list;
    try {
      const read = JSON.parse(this.text);
      return read && typeof read === "object" && !Array.isArray(read) ? read : null;
    } catch {
      return null;
    }
  }

  /** Names of the experts as they are typed. */
  names() {
    const experts = this.content()?.experts;
    return Array.isArray(experts) ? experts.map((each) => String(each?.name ?? "").trim()).filter(Boolean) : [];
  }

  /** Form or JSON; JSON that is none stays as it is until it is one. */
  toggle() {
    const content = this.content();
    if (this.isJson && !content) return window.planwright.notify("error", this.say("draft_bad_json"));
    this.isJson = !this.isJson;
    this.show(content);
  }

  /** Which expert a problem is about, in words, with a link to its card. */
  placeOf(path) {
    const number = Number(/experts\[(\d+)\]/.exec(path)?.[1]);
    const name = Number.isNaN(number) ? "" : this.list.experts[number]?.name || `${number + 1}`;
    if (!name) return null;
    const go = () => this.root.querySelectorAll(".ld-expert")[number]?.querySelector("input")?.focus();
    return h("button", { type: "button", class: "ld-link", onclick: go }, name);
  }

  draw() {
    if (this.isJson) return this.drawJson();
    const { say } = this;
    fill(this.root,
      this.list.experts.map((each, place) => this.expert(each, place)),
      h("button", { type: "button", id: "draft-add", onclick: () => this.add("experts", { name: "", description: "", aliases: [], inputs: [] }, ".ld-expert") }, say("draft_add_expert")),
      this.things("tools", "tools", "draft_add_tool"),
      this.things("services", "services", "draft_add_service"));
  }

  drawJson() {
    this.text = JSON.stringify(this.list, null, 2);
    const area = h("textarea", { class: "ld-json", id: "draft-text", spellcheck: "false", "aria-label": this.say("content"), value: this.text });
    area.addEventListener("input", () => {
      this.text = area.value;
      this.tell();
    });
    fill(this.root, area);
  }

  expert(each, place) {
    const { say } = this;
    const others = this.list.experts;
    const name = this.field(each, "name", say("draft_expert_name"), { class: "ld-name" });
    const about = h("textarea", { rows: 2, "aria-label": say("description"), placeholder: say("description"), value: String(each.description ?? "") });
    about.addEventListener("input", () => {
      each.description = about.value;
      grow(about);
      this.tell();
    });
    const act = (words, sign, run, isOff = false) => h("button", { type: "button", class: "ld-icon", title: say(words), "aria-label": say(words), disabled: isOff, onclick: run }, sign);
    return h("div", { class: "ld-card ld-expert" },
      h("div", { class: "ld-line" }, name,
        act("draft_up", "↑", () => this.swap(others, place, place - 1), place === 0),
        act("draft_down", "↓", () => this.swap(others, place, place + 1), place === others.length - 1),
        act("draft_remove", "×", () => this.remove(others, place))),
      about,
      h("div", { class: "ld-pair" }, this.words(each, "aliases", say("draft_aliases")), this.words(each, "inputs", say("draft_inputs"))));
  }

  /** Tools or products: a name and a description; what else they carry is kept. */
  things(key, title, add) {
    const { say } = this;
    return h("div", { class: "ld-card ld-things", data: { of: key } }, h("h3", {}, say(title)),
      this.list[key].map((each, place) => h("div", { class: "ld-line" },
        this.field(each, "name", say("draft_thing_name"), { class: "ld-short" }),
        this.field(each, "description", say("description")),
        h("button", { type: "button", class: "ld-icon", title: say("draft_remove"), "aria-label": say("draft_remove"), onclick: () => this.remove(this.list[key], place) }, "×"))),
      h("button", { type: "button", onclick: () => this.add(key, { name: "", description: "" }, `[data-of=${key}] .ld-line`) }, say(add)));
  }

  field(each, key, label, attributes = {}) {
    const input = h("input", { ...attributes, "aria-label": label, placeholder: label, value: String(each[key] ?? ""), autocomplete: "off" });
    input.addEventListener("input", () => {
      each[key] = input.value;
      this.tell();
    });
    return input;
  }

  /** Words behind commas. */
  words(each, key, label) {
    const input = h("input", { "aria-label": label, value: (Array.isArray(each[key]) ? each[key] : []).join("、"), autocomplete: "off" });
    input.addEventListener("input", () => {
      each[key] = input.value.split(WORDS).map((word) => word.trim()).filter(Boolean);
      this.tell();
    });
    return h("label", {}, h("span", {}, label), input);
  }

  add(key, made, selector) {
    this.list[key].push(made);
    this.draw();
    this.tell();
    [...this.root.querySelectorAll(selector)].at(-1)?.querySelector("input")?.focus();
  }

  remove(list, place) {
    list.splice(place, 1);
    this.draw();
    this.tell();
  }

  swap(list, place, other) {
    [list[place], list[other]] = [list[other], list[place]];
    this.draw();
    this.tell();
  }
}
