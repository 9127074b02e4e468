/** What the rewards say: bars for the plan on the desk, a tick where the model's own answer stands. */

import { fill, h, pill } from "./dom.js";

const ROWS = [
  ["StrictFormatReward", "format"],
  ["JSONValidReward", "json"],
  ["ThinkLengthReward", "length"],
  ["ThinkQualityReward", "quality"],
  ["CorrectnessReward", "rewrite"],
  ["ExpertValidationReward", "experts"],
  ["ProcessingQualityReward", "split"],
];

export class Rewards {
  constructor(root, { say }) {
    Object.assign(this, { root, say });
    this.figures = h("span", { class: "right figures" });
    this.stale = h("div", { class: "reward-stale" });
    this.rows = Object.fromEntries(ROWS.map(([name, word]) => [name, this.#row(word)]));
    const head = h("div", { class: "card-head" }, h("h3", { title: say("rewards.explained") }, say("rewards.title")), this.figures);
    fill(root, head, h("div", { class: "rewards", role: "group", "aria-label": say("rewards.explained") }, Object.values(this.rows).map(({ node }) => node), this.stale));
    this.clear();
  }

  /** Another item: nothing is known of it yet. */
  clear() {
    this.root.hidden = true;
  }

  /**
   * `{mine, model, total, model_total, is_stale}`, each of the first two reward name → 0…1; or null
   * while the plan has problems: then the last figures stay, pale, so that nothing moves.
   */
  show(scores, modelName) {
    this.root.classList.toggle("is-paused", !scores);
    if (!scores) return this.#pause();
    this.root.hidden = false;
    const { say } = this;
    const model = scores.model_total === null ? null : say("rewards.model_total", { model: modelName, total: figure(scores.model_total) });
    fill(this.figures, h("b", {}, say("rewards.total", { total: figure(scores.total) })), model);
    for (const [name, word] of ROWS) this.#set(this.rows[name], word, scores.mine[name], scores.model?.[name]);
    return fill(this.stale, scores.is_stale && pill(say("rewards.stale"), "warn", { title: say("rewards.stale_explained") }));
  }

  #pause() {
    if (!this.root.hidden) fill(this.figures, this.say("rewards.paused"));
  }

  #row(word) {
    const { say } = this;
    const meaning = h("span", { class: "meaning", role: "tooltip", id: `reward-${word}` }, h("b", {}, say(`rewards.${word}`)), say(`rewards.${word}_explained`));
    const parts = { mine: h("i"), model: h("u"), figure: h("span", { class: "figure" }), told: h("span") };
    meaning.append(parts.told);
    const meter = h(
      "div",
      { class: "reward", role: "meter", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": 1, "aria-label": say(`rewards.${word}`), "aria-describedby": meaning.id },
      h("span", {}, say(`rewards.${word}`)),
      h("s", {}, parts.mine, parts.model),
      parts.figure,
    );
    return { node: h("div", { class: "reward-place" }, meter, meaning), meter, ...parts };
  }

  #set(row, word, mine, model) {
    row.node.hidden = mine === undefined && model === undefined;
    row.mine.style.width = `${100 * (mine ?? 0)}%`;
    row.model.hidden = model === undefined;
    if (model !== undefined) row.model.style.left = `${100 * model}%`;
    row.figure.textContent = figure(mine);
    const told = this.say("rewards.row", { name: this.say(`rewards.${word}`), mine: figure(mine), model: figure(model) });
    row.told.textContent = told;
    row.meter.setAttribute("aria-valuenow", (mine ?? 0).toFixed(2));
    row.meter.setAttribute("aria-valuetext", told);
  }
}

/** A share as people read it here: `.62`, `1.0`; a dash where there is none. */
export function figure(value) {
  if (value === undefined || value === null) return "–";
  if (value >= 0.995) return "1.0";
  return value.toFixed(2).replace(/^0/, "");
}
