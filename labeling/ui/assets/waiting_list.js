/** The list of what waits for review: narrowed, ordered, and opened from. */

import { timeOf } from "./desk.js";
import { fill, h, openDialog, pill } from "./dom.js";
import { keyCap } from "./keys.js";

const AGES = [1, 24, 72, 168];
const ORDERS = ["queue", "oldest", "newest", "disagreement"];

/**
 * Show the list under `narrowed`. `open(row)` takes one onto the desk, `apply(narrowed)` hears how it
 * is narrowed when the dialog is left for the next item; `ask` brings pages and choices.
 */
export async function openWaiting({ say, language, narrowed, ask, open, apply }) {
  const found = await ask("choices", {});
  if (!found) return;
  const { choices } = found;
  let wanted = { ...narrowed };
  let rows = [];
  let at = 0;
  let after = null;
  let asked = 0;

  const choose = (name, options) => {
    const select = h(
      "select",
      { class: "field", id: `waiting-${name}`, onchange: () => change(name, select.value) },
      h("option", { value: "" }, say("waiting.any")),
      options.map(([value, words]) => h("option", { value, selected: String(wanted[KEYS[name]] ?? "") === String(value) }, words)),
    );
    return h("label", { class: "labelled" }, h("span", {}, say(`waiting.${name}`)), select);
  };
  const KEYS = { author: "author_id", agreement: "agreement", list: "list_version_id", model: "model", age: "older_than_h", order: "order" };
  const change = (name, value) => {
    const key = KEYS[name];
    wanted = { ...wanted, [key]: value === "" ? null : name === "age" ? Number(value) : value };
    look();
  };
  const order = h(
    "select",
    { class: "field", id: "waiting-order", onchange: () => change("order", order.value) },
    ORDERS.map((each) => h("option", { value: each, selected: (wanted.order ?? "queue") === each }, say(`waiting.order_${each}`))),
  );
  const flagged = h("input", { type: "checkbox", id: "waiting-flagged", checked: Boolean(wanted.is_flagged), onchange: () => {
    wanted = { ...wanted, is_flagged: flagged.checked };
    look();
  } });
  const form = h(
    "div",
    { class: "waiting-form" },
    choices.authors.length > 0 && choose("author", choices.authors.map((each) => [each.id, each.name])),
    choose("agreement", [["agree", say("waiting.agree")], ["disagree", say("waiting.disagree")]]),
    choose("list", choices.lists.map((each) => [each.id, each.name])),
    choose("model", choices.models.map((each) => [each, each])),
    choose("age", AGES.map((hours) => [hours, say(`waiting.older_${hours}`)])),
    h("label", { class: "labelled" }, h("span", {}, say("waiting.order")), order),
    h("label", { class: "choice" }, flagged, h("span", {}, say("waiting.flagged"))),
  );
  const total = h("b", { id: "waiting-total", role: "status" });
  const list = h("ul", { class: "waiting-rows", id: "waiting-rows", role: "listbox", tabindex: 0, "aria-label": say("waiting.title"), onkeydown: (event) => onKey(event) });
  const more = h("button", { type: "button", class: "small", id: "waiting-more", hidden: true, onclick: () => page() }, say("waiting.more"));
  const next = h("button", { type: "button", class: "action primary", id: "waiting-next", onclick: () => leave() }, say("waiting.next"), keyCap("Mod+Enter"));
  const clear = h("button", { type: "button", class: "action", id: "waiting-clear", onclick: () => {
    dialog.close();
    apply(null);
  } }, say("waiting.clear"));
  const dialog = openDialog({
    title: say("waiting.title"), className: "waiting", closeLabel: say("dialogue.close"),
    body: [form, h("p", { class: "waiting-head" }, total, h("span", { class: "faint" }, say("waiting.explained"))), list, more],
    buttons: [next, clear],
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    leave();
    event.preventDefault();
  });

  const leave = () => {
    const words = wordsOf();
    dialog.close();
    apply(wanted, { words });
  };
  /** What the list is narrowed to, as the form says it. */
  const wordsOf = () => {
    const chosen = [...form.querySelectorAll("select")].filter((each) => each.value && each.value !== "queue");
    return [...chosen.map((each) => each.selectedOptions[0].textContent), flagged.checked && say("waiting.flagged")].filter(Boolean).join(" · ");
  };
  const look = () => {
    [rows, at, after] = [[], 0, null];
    return page();
  };
  const page = async () => {
    const turn = ++asked;
    const answer = await ask("waiting", { narrowed: tidy(wanted), after });
    if (turn !== asked || !answer) return;
    rows = [...rows, ...answer.page.rows];
    after = answer.page.next_after;
    more.hidden = !after;
    total.textContent = say("waiting.total", { count: answer.page.total.toLocaleString() });
    fill(list, rows.length ? rows.map((row, place) => rowOf(row, place)) : h("p", { class: "faint" }, say("waiting.none")));
    mark();
  };
  const rowOf = (row, place) => {
    const facts = [row.external_id && `#${row.external_id}`, row.author, row.model, row.expert_list, timeOf(row.submitted_at, language)];
    return h(
      "li",
      { id: `waiting-${place}`, role: "option", onclick: () => take(row), data: { annotation: row.annotation_id } },
      h("span", { class: "waiting-text" }, row.text),
      h(
        "span",
        { class: "waiting-facts" },
        h("span", { class: "faint" }, facts.filter(Boolean).join(" · ")),
        row.flag && pill(say("waiting.flag"), "warn", { title: row.flag }),
        row.disagreement > 0 && pill(say("waiting.disagreement", { share: Math.round(100 * row.disagreement) }), "plain"),
        row.is_in_hand && pill(say("waiting.in_hand"), "ok"),
      ),
    );
  };
  const mark = () => {
    const options = list.querySelectorAll("li");
    options.forEach((node, place) => node.setAttribute("aria-selected", String(place === at)));
    options[at]?.scrollIntoView({ block: "nearest" });
    list.setAttribute("aria-activedescendant", rows.length ? `waiting-${at}` : "");
  };
  const take = (row) => {
    const words = wordsOf();
    dialog.close();
    apply(wanted, { words, stays: true });
    open(row);
  };
  const onKey = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && rows.length) {
      if (by > 0 && at === rows.length - 1 && after) page();
      at = Math.min(Math.max(at + by, 0), rows.length - 1);
      mark();
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && rows[at]) take(rows[at]);
    else return;
    event.preventDefault();
  };
  await look();
  list.focus();
}

/** Without what does not narrow; null when nothing is left. */
export function tidy(narrowed) {
  const kept = Object.entries(narrowed ?? {}).filter(([name, value]) => value !== null && value !== false && value !== "" && !(name === "order" && value === "queue"));
  return kept.length ? Object.fromEntries(kept) : null;
}
