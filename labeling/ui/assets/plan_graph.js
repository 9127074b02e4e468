/** The plan at a glance: a column for every stage, a node in its colour for every expert called. */

import { fill, h } from "./dom.js";
import { stagesOf } from "./plan.js";

const MOST_NAMED = 6; // with more stages than this, nodes are dots

export class StageGraph {
  /** `go(index)` leads to a step. */
  constructor({ say, go }) {
    Object.assign(this, { say, go });
    this.root = h("div", { class: "plan-graph", role: "toolbar", "aria-label": say("graph.title"), hidden: true, onkeydown: (event) => this.#onKey(event) });
    this.at = 0;
  }

  /** Draw the stages of a plan; a plan of one step needs no drawing. */
  draw(plan, hues) {
    this.stages = stagesOf(plan);
    this.root.hidden = plan.steps.length < 2;
    if (this.root.hidden) return fill(this.root);
    this.nodes = [];
    this.root.classList.toggle("is-dense", this.stages.length > MOST_NAMED);
    return fill(this.root, this.stages.map((stage, at) => this.#stage(stage, at, hues)), this.#tabStop());
  }

  /** A step's expert was changed by typing. */
  rename(index, name, hue) {
    const node = this.nodes?.[index];
    if (node) this.#show(node, index, name, hue);
  }

  /** Mark the steps that have problems, a set of their places. */
  mark(problems) {
    this.nodes?.forEach((node, index) => node.classList.toggle("is-wrong", problems.has(index)));
  }

  /** Mark the step that the caret is in, if it is in one. */
  follow(current) {
    this.nodes?.forEach((node, index) => {
      if (index === current) node.setAttribute("aria-current", "step");
      else node.removeAttribute("aria-current");
    });
  }

  #stage(stage, at, hues) {
    const label = this.say("editor.stage", { number: at + 1 });
    const nodes = stage.map(({ step, index }) => {
      const node = h("button", { type: "button", class: "node", tabindex: -1, onclick: () => this.#choose(index) }, h("span"));
      this.nodes[index] = node;
      this.#show(node, index, step.expert, hues.get(step.expert));
      return node;
    });
    return h("div", { class: "column", role: "group", "aria-label": label }, nodes);
  }

  #show(node, index, name, hue) {
    const stage = this.stages.findIndex((each) => each.some((one) => one.index === index)) + 1;
    const label = this.say("graph.step", { number: index + 1, expert: name || "–", stage });
    node.firstChild.textContent = name || "–";
    node.dataset.expert = name;
    node.title = label;
    node.setAttribute("aria-label", label);
    node.style.setProperty("--hue", hue ?? "var(--pw-line-deep)");
  }

  #choose(index) {
    this.at = index;
    this.#tabStop();
    this.go(index);
  }

  /** One node can be reached by Tab; arrows go on from there. */
  #tabStop() {
    this.at = Math.min(this.at, this.nodes.length - 1);
    this.nodes.forEach((node, index) => (node.tabIndex = index === this.at ? 0 : -1));
  }

  #onKey(event) {
    const next = this.#neighbour(event.key);
    if (next === null) return;
    this.at = next;
    this.#tabStop();
    this.nodes[next].focus();
    event.preventDefault();
    event.stopPropagation();
  }

  #neighbour(key) {
    const column = this.stages.findIndex((stage) => stage.some(({ index }) => index === this.at));
    const place = this.stages[column]?.findIndex(({ index }) => index === this.at) ?? -1;
    const at = (col, row) => this.stages[col]?.[Math.min(row, this.stages[col].length - 1)]?.index ?? null;
    if (key === "ArrowRight") return at(column + 1, place);
    if (key === "ArrowLeft") return at(column - 1, place);
    if (key === "ArrowDown") return this.stages[column][place + 1]?.index ?? null;
    if (key === "ArrowUp") return place > 0 ? at(column, place - 1) : null;
    if (key === "Home") return at(0, 0);
    if (key === "End") return at(this.stages.length - 1, 0);
    return null;
  }
}
