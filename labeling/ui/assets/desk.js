/** What the label and the review page share: layout, footer, banners, questions. */

import { fill, h, openDialog } from "./dom.js";
import { keyCap } from "./keys.js";

/** Words by name with their values: `say("editor.stage", {number: 2})`. */
export function speaker(words) {
  return (name, values = {}) => {
    const text = words[name];
    if (text === undefined) throw new Error(`no words for ${name}`);
    return text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
  };
}

/** The skeleton of a page: two columns over a footer, and a place for when there is nothing to do. */
export function layOut(root, { className }) {
  const parts = Object.fromEntries(
    ["dialogue", "trace", "banners", "editor", "rewards", "actions", "status", "empty"].map((name) => [name, h("div", { class: `part-${name}` })]),
  );
  for (const name of ["dialogue", "trace", "editor", "rewards"]) parts[name].classList.add("card");
  parts.main = h(
    "div",
    { class: "desk-columns" },
    h("div", { class: "desk-left" }, parts.dialogue, parts.trace),
    h("div", { class: "desk-right" }, parts.banners, parts.editor, parts.rewards),
  );
  parts.footer = h("div", { class: "desk-footer", role: "toolbar" }, parts.actions, parts.status);
  parts.empty.hidden = true;
  parts.main.hidden = true;
  root.classList.add(className, "is-loading");
  fill(root, parts.empty, parts.main, parts.footer);
  return parts;
}

/** A button of the footer with its key printed on it; the key does what the button does. */
export function actionButton(id, { say, keys, action, run, className = "" }) {
  const label = h("span", {}, say(`actions.${action}`));
  const button = h("button", { type: "button", id, class: `action ${className}`, onclick: () => run() }, label, keys.show(action));
  keys.on(action, () => {
    if (button.hidden || button.disabled || !button.offsetParent) return false;
    return run();
  });
  return button;
}

/** A sign for a button where its words take too much room; they stay its name. */
export function withSign(button, sign) {
  button.dataset.sign = sign;
  button.title = button.firstChild.textContent;
  button.setAttribute("aria-label", button.title);
  return button;
}

/** A message that stays above the editor until it is dealt with; `actions` are `[words, run]`. */
export function banner(tone, content, actions = [], close = null) {
  const node = h(
    "div",
    { class: `banner ${tone}`, role: tone === "bad" ? "alert" : "status" },
    h("div", { class: "banner-text" }, content),
    actions.map(([words, run, id]) => h("button", { type: "button", class: "small", id, onclick: () => run(node) }, words)),
    close && h("button", { type: "button", class: "quiet", "aria-label": close, onclick: () => node.remove() }, "✕"),
  );
  return node;
}

/**
 * Ask for a reason before an act. `choices` are `[code, words]`, taken with 1…9; resolves with
 * `{code, reason, isNote}` or null. `isNeeded` (or what it says of a code) forbids an empty text.
 * With `isFree` no choice is made beforehand and none has to be. `note`, when given, are the words
 * of a second button: this reason is noted, and the act waits (`isNote`).
 */
export function askReason({ title, explained, choices = [], isNeeded, say, confirm, extra = null, isFree = false, note = null }) {
  return new Promise((resolve) => {
    let result = null;
    const chosen = () => dialog.querySelector("input:checked")?.value ?? null;
    const mustSay = () => (typeof isNeeded === "function" ? isNeeded(chosen()) : isNeeded);
    const hint = isNeeded === true ? "actions.reason_needed" : "actions.reason_free";
    const text = h("textarea", { class: "field", id: "reason-text", rows: 3, placeholder: say(hint), "aria-label": say("actions.reason") });
    const radios = choices.map(([code, words], at) =>
      h("label", { class: "choice" }, h("input", { type: "radio", name: "reason-code", value: code, checked: at === 0 && !isFree }), h("kbd", {}, at + 1), h("span", {}, words)),
    );
    const list = h("div", { class: "choices", onchange: () => list.classList.remove("is-missing") }, radios);
    const askToChoose = () => {
      list.classList.add("is-missing");
      radios[0].firstChild.focus();
    };
    const done = ({ isNote = false } = {}) => {
      const reason = text.value.trim();
      if (choices.length && !chosen() && (isNote || !isFree || reason)) return askToChoose();
      if (mustSay() && !reason) {
        text.placeholder = say("actions.reason_needed");
        text.setAttribute("aria-invalid", "true");
        return text.focus();
      }
      result = { code: chosen(), reason, isNote };
      return dialog.close();
    };
    const dialog = openDialog({
      title,
      closeLabel: say("dialogue.close"),
      body: [explained && h("div", { class: "explained" }, explained), list, extra, text],
      buttons: [
        h("button", { type: "button", class: "action primary", id: "reason-done", onclick: () => done() }, confirm, keyCap("Mod+Enter")),
        note && h("button", { type: "button", class: "action", id: "reason-note", onclick: () => done({ isNote: true }) }, note, keyCap("Alt+Enter")),
        h("button", { type: "button", class: "action", onclick: () => dialog.close() }, say("actions.cancel")),
      ],
      onclose: () => resolve(result),
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) done();
      else if (note && event.key === "Enter" && event.altKey) done({ isNote: true });
      else if (event.target !== text && /^[1-9]$/.test(event.key)) radios[event.key - 1]?.firstChild.click();
      else return;
      event.preventDefault();
    });
    (radios.length ? radios[0].firstChild : text).focus();
  });
}

/** Keys of the plan's form; they are the same for everybody. */
export const EDITOR_KEYS = [
  ["Esc", "leave_field"],
  ["Enter", "next_sub_question"],
  ["Alt+ArrowUp", "move_up"],
  ["Alt+ArrowDown", "move_down"],
  ["Alt+Shift+ArrowUp", "move_step_up"],
  ["Alt+P", "parallel"],
  ["Alt+Enter", "step_after"],
  ["Alt+Backspace", "remove_step"],
  ["Alt+R", "reset"],
  ["F8", "next_problem"],
  ["Mod+Z", "undo"],
  ["Mod+Shift+Z", "redo"],
];

/** Escape leaves a field, so that the single keys work; Gradio or the browser do nothing with it. */
export function leaveFieldsOnEscape(root) {
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  });
}

/** `2 s ago`, `3 min ago`, in the page's words. */
export function ago(at, say) {
  const seconds = Math.max(0, Math.round((Date.now() - at) / 1000));
  if (seconds < 2) return say("status.just_now");
  return seconds < 90 ? say("status.seconds_ago", { seconds }) : say("status.minutes_ago", { minutes: Math.round(seconds / 60) });
}

/** Clock time of an instant in the reader's own zone. */
export function timeOf(instant, language) {
  return new Date(instant).toLocaleString(language === "zh" ? "zh-CN" : "en-GB", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
}
