/** When there is nothing to label: what is done, and what can be done now. */

import { fill, h } from "./dom.js";

export function showEmpty(root, { say, progress, paused = null, isReleased, again, mine }) {
  if (paused) {
    showPaused(root, { say, paused, again, mine });
    return;
  }
  const { decided = 0, queries = 0, mine_today: today = 0, returned_to_me: returned = 0 } = progress ?? {};
  const isNew = queries === 0;
  const share = queries ? Math.round((100 * decided) / queries) : 0;
  const heading = isReleased ? say("label.released") : say(isNew ? "empty.nothing_yet" : returned ? "empty.returned" : "empty.all_done", { count: returned });
  const bar = h("div", { class: "empty-bar", role: "img", "aria-label": say("empty.decided", { decided, queries }) }, h("i"));
  bar.firstChild.style.width = `${share}%`;
  fill(
    root,
    h(
      "div",
      { class: "empty-card" },
      h("div", { class: "empty-sign", "aria-hidden": "true" }, isNew ? "☰" : isReleased ? "↩" : "✓"),
      h("h2", {}, heading),
      h("p", {}, say(isReleased ? "label.released_explained" : isNew ? "empty.nothing_yet_explained" : "empty.explained")),
      !isNew && [bar, h("p", { class: "faint" }, say("empty.decided", { decided, queries }), " · ", say("empty.today", { count: today }))],
      actions({ say, again, mine }, isReleased ? "label.take_next" : "empty.again"),
    ),
  );
}

/** A pause, told calmly: what, why and whom to ask stand in the sentence of the server. */
function showPaused(root, { say, paused, again, mine }) {
  fill(
    root,
    h(
      "div",
      { class: "empty-card", id: "label-paused" },
      h("div", { class: "empty-sign is-paused", "aria-hidden": "true" }, "Ⅱ"),
      h("h2", {}, say("empty.paused")),
      h("p", {}, paused),
      actions({ say, again, mine }, "empty.again"),
    ),
  );
}

function actions({ say, again, mine }, word) {
  return h(
    "div",
    { class: "empty-actions" },
    h("button", { type: "button", class: "action primary", id: "empty-again", onclick: again }, say(word)),
    h("button", { type: "button", class: "action", id: "empty-mine", onclick: mine }, say("empty.mine")),
  );
}
