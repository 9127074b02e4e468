/** The reasons of a return, each with the ways to its place in the plan and in the trace. */

import { h } from "./dom.js";
import { wordsOfPath } from "./plan_path.js";

/**
 * Nodes for `reasons` (`{words, remark, path, span}`), of a plan. `goPath(path)` and `goSpan(span)`
 * lead to a place; without them places are told only. `remove(at)`, when given, takes one back.
 */
export function reasonList(reasons, { plan, say, goPath = null, goSpan = null, remove = null }) {
  const way = (go, kind, words) =>
    go ? h("button", { type: "button", class: `link ${kind}`, data: { go: kind }, onclick: go }, words) : h("span", { class: `faint ${kind}` }, words);
  const row = ({ words, remark, path, span }, at) =>
    h(
      "li",
      {},
      h(
        "div",
        { class: "reason-head" },
        words && h("span", {}, words),
        path && way(goPath && (() => goPath(path)), "place", wordsOfPath(path, plan, say)),
        span && way(goSpan && (() => goSpan(span)), "passage", `“${span.quote}”`),
        remove && h("button", { type: "button", class: "quiet", "aria-label": say("review.noted_remove"), title: say("review.noted_remove"), onclick: () => remove(at) }, "✕"),
      ),
      remark && h("p", {}, remark),
    );
  return h("ol", { class: `reasons ${reasons.length > 1 ? "is-many" : ""}` }, reasons.map(row));
}
