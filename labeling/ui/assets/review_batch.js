/** Accepting a batch by its sample: what it would be, how far it is, what came of it. */

import { fill, h, openDialog } from "./dom.js";
import { keyCap } from "./keys.js";

const percent = (share) => Math.round(share * 1000) / 10;

/** Where a batch stands: open, done, failed, gone (draw anew), or wait (for others). */
export function standing(batch) {
  if (batch.gone) return "gone";
  if (batch.may_accept) return "done";
  if (batch.defects > batch.acceptance_number) return "failed";
  return batch.looked_at < batch.sample_size ? "wait" : "done";
}

/** The numbers of a batch as its sentences name them. */
export function numbersOf(batch) {
  return {
    size: batch.size, sample: batch.sample_size, most: batch.acceptance_number, rest: batch.size - batch.sample_size,
    seen: batch.looked_at, defects: batch.defects, gone: batch.gone, left: batch.sample_size - batch.looked_at,
  };
}

/** Say what a batch would be and begin it; `draw()` does. */
export function offerBatch({ plan, say, draw }) {
  if (!plan) return tellOf({ title: say("batch.title"), say, body: say("batch.nothing") });
  const words = numbersOf(plan);
  const risk = { rate: percent(plan.tolerated_rate), risk: percent(1 - plan.confidence) };
  const isWhole = plan.sample_size === plan.size;
  return askOnce({
    title: say("batch.title"), say, id: "batch-draw", confirm: say("batch.draw"), run: draw,
    body: [
      h("p", {}, say(isWhole ? "batch.whole" : "batch.explained", words)),
      !isWhole && h("p", { class: "faint" }, say("batch.risk", risk)),
    ],
  });
}

/** Ask once more before so many are accepted. */
export function confirmRest({ batch, say, run }) {
  const words = numbersOf(batch);
  return askOnce({ title: say("batch.title"), say, id: "batch-rest-done", confirm: say("batch.rest", words), run, body: h("p", {}, say("batch.done", words)) });
}

/** What was accepted, and what was not and why. */
export function tellOutcome({ outcome, say, open }) {
  const rows = outcome.left_out.map((each) =>
    h(
      "li",
      {},
      h("button", { type: "button", class: "link", onclick: () => {
        dialog.close();
        open(each);
      } }, each.external_id ? `#${each.external_id} ` : "", each.text),
      h("span", { class: "faint" }, say(`batch.why_${each.why}`)),
    ),
  );
  const dialog = tellOf({
    title: say("batch.title"), say,
    body: [h("p", { id: "batch-outcome" }, say("batch.outcome", { accepted: outcome.accepted })), rows.length > 0 && h("p", {}, say("batch.left_out", { count: rows.length })), h("ul", { class: "batch-left" }, rows)],
  });
  return dialog;
}

/** In the place of an item when the sample has no more for this reviewer. */
export function showBatch(root, { batch, say, keys, rest, drop, again }) {
  const state = standing(batch);
  const words = numbersOf(batch);
  fill(
    root,
    h(
      "div",
      { class: "empty-card", id: "batch-card", data: { state } },
      h("div", { class: `empty-sign is-${state}`, "aria-hidden": "true" }, { done: "✓", failed: "!", gone: "↻", wait: "…" }[state]),
      h("h2", {}, say(`batch.${state}_title`)),
      h("p", {}, say(`batch.${state}`, words)),
      h(
        "div",
        { class: "empty-actions" },
        state === "done" && h("button", { type: "button", class: "action primary", id: "batch-rest-card", onclick: rest }, say("batch.rest", words), keys.show("batch")),
        state === "gone" && h("button", { type: "button", class: "action primary", id: "batch-again", onclick: again }, say("batch.again")),
        h("button", { type: "button", class: "action", id: "batch-drop-card", onclick: drop }, say("batch.drop")),
      ),
    ),
  );
}

function askOnce({ title, say, id, confirm, run, body }) {
  const done = () => {
    dialog.close();
    run();
  };
  const go = h("button", { type: "button", class: "action primary", id, onclick: done }, confirm, keyCap("Enter"));
  const dialog = openDialog({
    title, body, closeLabel: say("dialogue.close"),
    buttons: [go, h("button", { type: "button", class: "action", onclick: () => dialog.close() }, say("actions.cancel"))],
  });
  go.focus();
  return dialog;
}

function tellOf({ title, say, body }) {
  const dialog = openDialog({
    title, body, closeLabel: say("dialogue.close"),
    buttons: [h("button", { type: "button", class: "action", id: "batch-close", onclick: () => dialog.close() }, say("dialogue.close"))],
  });
  dialog.querySelector("#batch-close").focus();
  return dialog;
}
