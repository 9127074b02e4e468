/** The sheet of keys: those of the page, which each person may change, and those that are fixed. */

import { fill, h, openDialog } from "./dom.js";
import { isComposing, keyCap, nameOf, signOf } from "./keys.js";

/**
 * `groups` are `[title, [[key, words], …]]` of fixed keys; `save({action, key})` keeps a key (none of
 * `key`: the first one again; none of `action`: all) and resolves with `{keys}` or `{sentence}`.
 */
export function openKeySheet({ say, keys, nameOfAction, groups, save }) {
  const rows = h("div", { class: "key-rows" });
  const told = h("p", { class: "key-told", role: "status" });
  let asked = null;

  const draw = (focused = null) => {
    fill(rows, Object.keys(keys.bindings).map((action) => row(action)));
    rows.querySelector(`[data-action="${focused}"] .key-choose`)?.focus();
  };
  const row = (action) => {
    const key = keys.bindings[action];
    const isOwn = key !== keys.defaults[action];
    const isAsked = action === asked;
    const label = say("keys.change", { action: nameOfAction(action) });
    const face = isAsked ? say("keys.press") : key ? keyCap(key) : say("keys.none");
    return h(
      "div",
      { class: `key-row${isOwn ? " is-own" : ""}`, data: { action } },
      h("span", {}, nameOfAction(action)),
      isOwn && h("button", { type: "button", class: "quiet key-first", title: say("keys.reset_one"), "aria-label": say("keys.reset_one"), onclick: () => keep({ action }) }, "↺"),
      h("button", { type: "button", class: `key-choose${isAsked ? " is-asked" : ""}`, "aria-label": label, title: label, onclick: () => ask(isAsked ? null : action) }, face),
    );
  };
  const ask = (action) => {
    asked = action;
    fill(told, action ? say("keys.press_explained") : null);
    draw(action);
  };
  const keep = async (choice) => {
    const answer = await save(choice);
    if (answer.keys) keys.change(answer.keys);
    asked = null;
    fill(told, answer.sentence ?? say(choice.action ? "keys.kept" : "keys.all_reset"));
    told.classList.toggle("is-refused", Boolean(answer.sentence));
    draw(choice.action);
  };
  const press = (event) => {
    if (!asked || isComposing(event)) return;
    // Esc and Tab stay what they are everywhere: they leave.
    const pressed = nameOf(event);
    if (pressed && pressed !== "Tab" && pressed !== "Shift+Tab") event.preventDefault();
    if (!pressed || pressed === "Tab") return;
    event.stopPropagation();
    if (pressed === "Escape") return ask(null);
    const other = Object.keys(keys.bindings).find((each) => each !== asked && keys.bindings[each] === pressed);
    if (!other) return keep({ action: asked, key: pressed });
    told.classList.add("is-refused");
    return fill(told, say("keys.taken", { key: signOf(pressed), action: nameOfAction(other) }));
  };

  const reset = h("button", { type: "button", class: "action", id: "keys-reset", onclick: () => keep({}) }, say("keys.reset_all"));
  const fixed = groups.map(([title, list]) => [h("h4", {}, title), list.map(([key, words]) => h("div", { class: "key-row" }, h("span", {}, words), keyCap(key)))]);
  const dialog = openDialog({
    title: say("actions.keys"),
    className: "keys",
    closeLabel: say("dialogue.close"),
    body: h("div", { class: "key-columns" }, h("div", {}, h("h4", {}, say("keys.page")), rows), h("div", {}, fixed)),
    buttons: [reset, told],
  });
  dialog.addEventListener("keydown", press, { capture: true });
  draw();
  fill(told, say("keys.how"));
}
