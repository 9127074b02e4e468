/** When there is nothing to review. */

import { fill, h, pill } from "./dom.js";

export function showNothing(root, { say, language, labels, again }) {
  fill(
    root,
    h(
      "div",
      { class: "empty-card" },
      h("div", { class: "empty-sign", "aria-hidden": "true" }, "✓"),
      h("h2", {}, say("review.empty")),
      h("p", {}, say("review.empty_explained")),
      labels > 0 && pill(say("review.open_labels", { count: labels })),
      h(
        "div",
        { class: "empty-actions" },
        h("button", { type: "button", class: "action primary", id: "empty-again", onclick: again }, say("empty.again")),
        h("a", { class: "action", href: `/${language}/label` }, say("review.go_label")),
      ),
    ),
  );
}
