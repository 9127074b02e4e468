/** What stands above the review: the lot of a sampled item, a passage of a return, a faster colleague. */

import { placeInTrace, traceAnchor } from "./comment_places.js";
import { banner } from "./desk.js";
import { h } from "./dom.js";
import { isSamePlan } from "./plan.js";
import { showComparison } from "./plan_compare.js";
import { nameOf, numbersOf } from "./review_lots.js";

const HIGHLIGHT = "pw-returned";

/** Which lot an item is a sample of, and how far it is. */
export function lotBanner(lot, say) {
  return lot && lot.state === "inspecting" && banner("", say("lots.item", { name: nameOf(lot, say), ...numbersOf(lot) }));
}

/**
 * What is selected in the trace, as the passage that a return is about: `node` asks whether to send
 * it along, `value` is the `schemas.comments.Span` or null.
 */
export function passageOf({ trace, suggestion, say }) {
  const found = trace.selected;
  if (!found || !suggestion) return { node: null, value: null };
  const span = traceAnchor(suggestion.id, suggestion.trace, ...found);
  const wanted = h("input", { type: "checkbox", id: "return-passage", checked: true });
  return {
    node: h("label", { class: "choice passage" }, wanted, h("span", {}, say("review.with_passage"), h("q", {}, span.quote))),
    get value() {
      return wanted.checked ? span : null;
    },
  };
}

/** Mark passages in the trace, those that are of the one that is shown. */
export function markPassages(spans, page) {
  const found = spans.map((span) => placeOf(span, page)).filter(Boolean);
  page.trace.mark(HIGHLIGHT, found.sort((one, other) => one[0] - other[0]));
}

/** Bring a passage in sight, in the trace of `page` that it is of; `others` stay marked beside it. */
export function showPassage(span, page, others = []) {
  for (let turn = 0; page.suggestion?.id !== span.suggestion_id && turn < page.item.suggestions.length; turn++) page.buttons.next.click();
  markPassages([...others, span], page);
  const place = placeOf(span, page);
  if (place) page.trace.reveal(place);
}

/** `[start, end]` in the trace that is shown, or null. */
function placeOf(span, { trace, item }) {
  const suggestion = item.suggestions.find((each) => each.id === span.suggestion_id);
  const place = suggestion && placeInTrace(suggestion.trace ?? "", span);
  return place?.state === "here" && trace.text === suggestion.trace ? [place.start, place.end] : null;
}

/** Somebody was faster; says who and when, and shows what differs. */
export function lostBanner(root, { lost, say, hues, seen, mine, next, open }) {
  root.querySelector("#review-lost")?.closest(".banner").remove();
  const compare = (before, after, names) => [h("p", {}, say(mine ? "review.lost_fix" : "review.lost_compare")), showComparison(before, after, { say, hues, names })];
  const now = say("review.version_now");
  const differs = lost.plan && mine && !isSamePlan(lost.plan, mine)
    ? compare(lost.plan, mine, { before: now, after: say("review.version_mine") })
    : lost.plan && !isSamePlan(lost.plan, seen) ? compare(seen, lost.plan, { before: say("review.version_seen"), after: now }) : null;
  const node = banner("bad", h("b", { id: "review-lost" }, window.planwright.local(lost.sentence)), [
    ...(lost.is_waiting ? [[say("review.open_newer"), open, "review-open-newer"]] : []),
    [say("review.next_item"), next, "review-next-item"],
  ]);
  if (differs) node.append(h("div", { class: "conflict-differences" }, differs));
  root.prepend(node);
  node.scrollIntoView({ block: "nearest", behavior: "instant" });
  node.querySelector("button").focus();
}
