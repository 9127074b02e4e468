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
    this.root.hidden = true;
  }

  /** `{mine, model, total, model_total, is_stale}`, each of the first two reward name → 0…1; or null. */
  show(scores, modelName) {
    this.root.hidden = !scores;
    if (!scores) return;
    const total = this.say("rewards.total", { total: figure(scores.total) });
    const model = scores.model_total === null ? null : this.say("rewards.model_total", { model: modelName, total: figure(scores.model_total) });
    const rows = ROWS.filter(([name]) => name in scores.mine || name in (scores.model ?? {})).map(([name, word]) => this.#row(scores, name, word));
    fill(
      this.root,
      h("div", { class: "card-head" }, h("h3", { title: this.say("rewards.explained") }, this.say("rewards.title")), h("span", { class: "right figures" }, h("b", {}, total), model)),
      h("div", { class: "rewards" }, rows, scores.is_stale && h("div", {}, pill(this.say("rewards.stale"), "warn", { title: this.say("rewards.stale_explained") }))),
    );
  }

  #row(scores, name, word) {
    const [mine, model] = [scores.mine[name], scores.model?.[name]];
    const bar = h("s", {}, h("i"), model === undefined ? null : h("u"));
    bar.firstChild.style.width = `${100 * (mine ?? 0)}%`;
    if (model !== undefined) bar.lastChild.style.left = `${100 * model}%`;
    const label = this.say(`rewards.${word}`);
    const title = this.say("rewards.row", { name: label, mine: figure(mine), model: figure(model) });
    return h("div", { title, "aria-label": title, role: "img" }, h("span", {}, label), bar, h("span", { class: "figure" }, figure(mine)));
  }
}

function figure(value) {
  if (value === undefined || value === null) return "–";
  if (value >= 0.995) return "1.0";
  return value.toFixed(2).replace(/^0/, "");
}
