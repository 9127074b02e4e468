/** Two plans side by side, with what differs marked down to the character. */

import { alignSteps, showDiff } from "./diff.js";
import { h, pill } from "./dom.js";
import { readable } from "./plan.js";

const TONES = { new: "ok", gone: "bad", changed: "warn", moved: "" };

/**
 * Nodes for `before` beside `after`. `names` are their headings; `onpath(path)`, when given, makes
 * every part of `after` a button that chooses its path.
 */
export function showComparison(before, after, { say, names, hues, onpath = null }) {
  const [old, now] = [readable(before ?? {}), readable(after)];
  const rows = alignSteps(old.steps, now.steps);
  const summary = summaryOf(old, now, rows, say);
  return h(
    "div",
    { class: "comparison" },
    h("div", { class: "comparison-summary" }, summary.length ? summary : pill(say("compare.equal"), "ok")),
    h("div", { class: "pair names" }, h("h4", {}, names.before), h("h4", {}, names.after)),
    h(
      "div",
      { class: "pair" },
      side(showDiff(old.rewritten_query, now.rewritten_query, { fresh: false }), old.rewritten_query, say),
      chosen(side(showDiff(old.rewritten_query, now.rewritten_query, { gone: false }), now.rewritten_query, say), "$.rewritten_query", onpath),
    ),
    rows.map((row) => pairOf(row, { say, hues, onpath })),
  );
}

/** The differences in a few words, for the head of the card. */
function summaryOf(old, now, rows, say) {
  const count = (kind) => rows.filter((row) => row.kinds.includes(kind)).length;
  const words = ["new", "gone", "changed", "moved"]
    .map((kind) => [kind, count(kind)])
    .filter(([, number]) => number)
    .map(([kind, number]) => pill(say(`compare.${kind}_steps`, { number }), TONES[kind]));
  if (old.rewritten_query !== now.rewritten_query) words.unshift(pill(say("compare.rewritten"), "warn"));
  return words;
}

function side(nodes, text, say) {
  return h("div", { class: "side rewritten" }, text ? nodes : h("em", {}, say("compare.empty")));
}

function pairOf({ before, after, newIndex, kinds }, { say, hues, onpath }) {
  const left = before ? stepOf(before, after, { isOld: true, hues, kinds, say }) : h("div", { class: "side absent" });
  const right = after ? stepOf(before, after, { isOld: false, hues, kinds, say }) : h("div", { class: "side absent" });
  return h("div", { class: "pair" }, left, after ? chosen(right, `$.steps[${newIndex}]`, onpath) : right);
}

function stepOf(before, after, { isOld, hues, kinds, say }) {
  const step = isOld ? before : after;
  const isChanged = before && after && before.expert !== after.expert;
  const name = isChanged ? h(isOld ? "del" : "ins", {}, step.expert) : step.expert;
  const marks = isOld ? kinds.filter((kind) => kind === "gone") : kinds.filter((kind) => kind !== "gone");
  const card = h(
    "div",
    { class: `side step ${kinds.includes(isOld ? "gone" : "new") ? (isOld ? "is-gone" : "is-new") : ""}` },
    h(
      "div",
      { class: "step-head" },
      h("span", { class: "order" }, step.order),
      h("b", {}, name),
      marks.map((kind) => pill(say(`compare.${kind}`), TONES[kind])),
    ),
    h("ol", { class: "subs" }, subsOf(before, after, isOld)),
  );
  card.style.setProperty("--hue", hues.get(step.expert) ?? "var(--line)");
  return card;
}

function subsOf(before, after, isOld) {
  const texts = (isOld ? before : after).sub_questions;
  if (!before || !after) return texts.map((text, at) => subRow(at, text));
  const others = (isOld ? after : before).sub_questions;
  return texts.map((text, at) => {
    const other = others.includes(text) ? text : (others[at] ?? "");
    return subRow(at, isOld ? showDiff(text, other, { fresh: false }) : showDiff(other, text, { gone: false }));
  });
}

function subRow(at, content) {
  return h("li", {}, h("span", { class: "number" }, at + 1), h("span", {}, content));
}

function chosen(node, path, onpath) {
  if (!onpath) return node;
  const choose = () => onpath(path, node);
  node.classList.add("is-choosable");
  node.setAttribute("role", "button");
  node.tabIndex = 0;
  node.dataset.path = path;
  node.addEventListener("click", choose);
  node.addEventListener("keydown", (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), choose()));
  return node;
}
