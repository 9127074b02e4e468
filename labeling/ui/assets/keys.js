/**
 * Keys of a page. A key is `Mod+Enter`, `Alt+C`, `A`, `]`, `?`: Mod is ⌘ on a Mac and Ctrl elsewhere.
 * Keys without Mod or Alt never fire while a person types in a field, and none while an input method
 * composes or a dialog is open. Whose keys they are stands in the header of the page, which the
 * server writes for each person.
 */

import { h, isTextField } from "./dom.js";

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const MODIFIERS = ["Mod", "Alt", "Shift"];
/** What a Chinese input method makes of keys on an English keyboard. */
const AS_TYPED_IN_CHINESE = { "【": "[", "】": "]", "、": "/", "。": ".", "‘": "'", "’": "'", "“": '"', "”": '"' };

export class Keys {
  /** `defaults`: action → the key it has where nobody chose another. */
  constructor(defaults) {
    this.defaults = defaults;
    this.bindings = JSON.parse(document.querySelector(".pw-header")?.dataset.keys ?? "null") ?? defaults;
    this.actions = {};
    document.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** What an action does; a listener that returns `false` lets the key pass. */
  on(action, run) {
    this.actions[action] = run;
  }

  /** The key of an action as a `kbd` node, which follows when the key is changed. */
  show(action) {
    return h("kbd", { "aria-hidden": "true", data: { keyOf: action }, hidden: !this.bindings[action] }, signOf(this.bindings[action] ?? ""));
  }

  /** Other keys from now on; those on the buttons too. */
  change(bindings) {
    this.bindings = bindings;
    for (const node of document.querySelectorAll("kbd[data-key-of]")) {
      node.textContent = signOf(bindings[node.dataset.keyOf] ?? "");
      node.hidden = !bindings[node.dataset.keyOf];
    }
  }

  #onKey(event) {
    if (event.defaultPrevented || isComposing(event) || document.querySelector("dialog[open]")) return;
    const pressed = nameOf(event);
    for (const [action, key] of Object.entries(this.bindings)) {
      if (!key || key !== pressed) continue;
      const isCombined = /^(Mod|Alt)\+/.test(key);
      if (!isCombined && isTextField(event.target)) continue;
      const run = this.actions[action];
      if (!run || (event.repeat && !key.startsWith("Mod+"))) continue;
      if (run(event) !== false) event.preventDefault();
      return;
    }
  }
}

/** A key that is the same for everybody, as people know it on their keyboard. */
export function keyCap(key) {
  return h("kbd", { "aria-hidden": "true" }, signOf(key));
}

/** The words for a key: `Mod+Shift+Z` as `Ctrl+Shift+Z` or `⇧⌘Z`. */
export function signOf(key) {
  const signs = { Enter: "↵", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Backspace: "⌫" };
  const { modifiers, sign } = partsOf(key);
  const shown = { Mod: IS_MAC ? "⌘" : "Ctrl+", Alt: IS_MAC ? "⌥" : "Alt+", Shift: IS_MAC || !modifiers.includes("Mod") ? "⇧" : "Shift+" };
  const order = IS_MAC ? ["Alt", "Shift", "Mod"] : MODIFIERS;
  return order.filter((each) => modifiers.includes(each)).map((each) => shown[each]).join("") + (signs[sign] ?? sign);
}

/** Whether an input method is making a character of what is pressed. */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

/** How a pressed key is written; empty while only Ctrl, Alt or Shift is down. */
export function nameOf(event) {
  // AltGr writes characters; it is no Alt, although it looks like Ctrl and Alt together.
  if (event.getModifierState?.("AltGraph") || ["Control", "Alt", "Shift", "Meta", "AltGraph", "Dead"].includes(event.key)) return "";
  const modifiers = [];
  if (event.metaKey || event.ctrlKey) modifiers.push("Mod");
  if (event.altKey) modifiers.push("Alt");
  // Shift is part of signs such as "?", and named only beside another modifier.
  if (event.shiftKey && modifiers.length) modifiers.push("Shift");
  return [...modifiers, event.altKey ? signOfCode(event) : signOfKey(event)].join("+");
}

/** Alt makes other characters of letters on a Mac; the place of the key tells which it was. */
function signOfCode(event) {
  return /^(?:Key|Digit)(\w)$/.exec(event.code)?.[1] ?? signOfKey(event);
}

function signOfKey(event) {
  const key = (AS_TYPED_IN_CHINESE[event.key] ?? event.key).normalize("NFKC");
  return key.length === 1 ? key.toUpperCase() : key;
}

function partsOf(key) {
  const found = /^((?:Mod\+)?(?:Alt\+)?(?:Shift\+)?)(.*)$/.exec(key);
  return { modifiers: found[1].split("+").filter(Boolean), sign: found[2] };
}
