/** Lots: what gathers, what is inspected, what was decided. */

import { banner, timeOf } from "./desk.js";
import { fill, h, openDialog, pill } from "./dom.js";

const TONES = { open: "", inspecting: "warn", passed: "ok", failed: "bad", dissolved: "plain" };
const percent = (share) => Math.round(share * 1000) / 10;

/**
 * Show the lots that were `found`, and what is left in them while sampling is off; `close(id)` draws
 * one by hand, `dissolve()` has all of them reviewed one by one; both bring the lots anew.
 */
export function openLots({ found, say, language, close, dissolve }) {
  const rows = h("div", { class: "lots", id: "lots" });
  const told = h("div", {});
  const draw = ({ lots, left }) => {
    fill(told, leftBanner(left, say, { dissolve: () => act(dissolve()) }));
    fill(rows, lots.length ? lots.map((lot) => cardOf(lot)) : h("p", { class: "faint" }, say("lots.none")));
  };
  const act = async (answer) => {
    const now = await answer;
    if (now) draw(now);
    (dialog.querySelector("[data-close]") ?? dialog.querySelector(".dialog-body")).focus();
  };
  const cardOf = (lot) =>
    h(
      "div",
      { class: `lot is-${lot.state}`, data: { lot: lot.id } },
      h(
        "div",
        { class: "lot-head" },
        h("b", {}, nameOf(lot, say)),
        pill(say(`lots.${lot.state}`), TONES[lot.state]),
        lot.level !== "normal" && pill(say(`lots.level_${lot.level}`), "plain"),
        h("span", { class: "faint right" }, timeOf(lot.decided_at ?? lot.drawn_at ?? lot.opened_at, language)),
      ),
      h("div", { class: "lot-bar", "aria-hidden": "true" }, bar(lot)),
      h(
        "div",
        { class: "lot-facts" },
        h("span", {}, lot.state === "open" ? say("lots.size", { size: lot.size, full: lot.full_at }) : [say("lots.size_drawn", { size: lot.size }), lot.sample_size !== null && [" · ", say("lots.sample", numbersOf(lot))]]),
        lot.seed && h("code", {}, say("lots.seed", { seed: lot.seed })),
        lot.state === "open" && (lot.is_mine ? h("span", { class: "faint" }, say("lots.own")) : lot.size > 0 && h("button", { type: "button", class: "small", data: { close: lot.id }, onclick: () => act(close(lot.id)) }, say("lots.close"))),
      ),
      (lot.state === "open" || lot.state === "inspecting") && h("p", { class: "faint" }, say("lots.risk", { rate: percent(lot.tolerated_rate), risk: percent(1 - lot.confidence) })),
    );
  const dialog = openDialog({ title: say("lots.title"), className: "lots", closeLabel: say("dialogue.close"), body: [h("p", { class: "explained" }, say("lots.explained")), told, rows] });
  draw(found);
  (dialog.querySelector("[data-close]") ?? dialog.querySelector(".dialog-body")).focus();
}

/** While sampling is off: what undecided lots hold, and the way out of them. */
export function leftBanner(left, say, { dissolve, open = null }) {
  if (!left || left.is_on || !left.lots) return null;
  const actions = [[say("lots.dissolve"), dissolve, "lots-dissolve"], open && [say("actions.lots"), open, "lots-open"]];
  return banner("warn", say("lots.off", { lots: left.lots, waiting: left.waiting }), actions.filter(Boolean));
}

/** Whose lot it is, and which. */
export function nameOf(lot, say) {
  return lot.author === null ? say("lots.name_hidden", { number: lot.number }) : say("lots.name", { author: lot.author, number: lot.number });
}

export function numbersOf(lot) {
  return { seen: lot.inspected, sample: lot.sample_size, defects: lot.defects, most: lot.acceptance_number };
}

/** How full it is, or how much of the sample is right and wrong. */
function bar(lot) {
  const part = (share, className) => {
    const node = h("i", { class: className });
    node.style.width = `${Math.min(100, 100 * share)}%`;
    return node;
  };
  if (lot.state === "open") return part(lot.size / lot.full_at, "");
  if (lot.sample_size === null) return null;
  return [part((lot.inspected - lot.defects) / lot.sample_size, "ok"), part(lot.defects / lot.sample_size, "bad")];
}
