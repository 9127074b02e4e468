/** When there is nothing to review. */

import { fill, h, pill } from "./dom.js";

/** `paused` is the sentence for somebody who gets no new work, or null; `left` a banner about lots. */
export function showNothing(root, { say, language, labels, paused = null, left = null, again }) {
  fill(
    root,
    h(
      "div",
      { class: "empty-card", id: paused && "review-paused" },
      h("div", { class: `empty-sign ${paused ? "is-paused" : ""}`, "aria-hidden": "true" }, paused ? "Ⅱ" : "✓"),
      h("h2", {}, say(paused ? "review.paused" : "review.empty")),
      h("p", {}, paused ?? say("review.empty_explained")),
      !paused && labels > 0 && pill(say("review.open_labels", { count: labels })),
      left,
      h(
        "div",
        { class: "empty-actions" },
        h("button", { type: "button", class: "action primary", id: "empty-again", onclick: again }, say("empty.again")),
        !paused && h("a", { class: "action", href: `/${language}/label` }, say("review.go_label")),
      ),
    ),
  );
}
