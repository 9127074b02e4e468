/**
 * Keys of a page. A binding is `Mod+Enter`, `A`, `]`, `?`: Mod is ⌘ on a Mac and Ctrl elsewhere.
 * Bindings without Mod never fire while a person types in a field or a dialog is open; people may
 * keep their own bindings in the browser.
 */

import { h, isTextField } from "./dom.js";

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const STORE = "planwright.keys";

export class Keys {
  /** `bindings`: action → key; `say`: action → its name, for the sheet. */
  constructor(bindings, { page }) {
    this.bindings = { ...bindings, ...ownBindings(page) };
    this.actions = {};
    document.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** What an action does; a listener that returns `false` lets the key pass. */
  on(action, run) {
    this.actions[action] = run;
  }

  /** The key of an action as a `kbd` node. */
  show(action) {
    return keyCap(this.bindings[action]);
  }

  #onKey(event) {
    if (event.isComposing || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    const pressed = nameOf(event);
    for (const [action, key] of Object.entries(this.bindings)) {
      if (key.toLowerCase() !== pressed.toLowerCase()) continue;
      if (!key.startsWith("Mod+") && isTextField(event.target)) continue;
      const run = this.actions[action];
      if (!run || (event.repeat && !key.startsWith("Mod+"))) continue;
      if (run(event) !== false) event.preventDefault();
      return;
    }
  }
}

/** A key as people know it on their keyboard. */
export function keyCap(key) {
  const sign = key
    .replace("Mod+Shift+", IS_MAC ? "⇧⌘" : "Ctrl+Shift+")
    .replace("Mod+", IS_MAC ? "⌘" : "Ctrl+")
    .replace("Alt+", IS_MAC ? "⌥" : "Alt+")
    .replace("Shift+", "⇧")
    .replace("Enter", "↵")
    .replace("ArrowUp", "↑")
    .replace("ArrowDown", "↓");
  return h("kbd", { "aria-hidden": "true" }, sign);
}

function nameOf(event) {
  const parts = [];
  if (event.metaKey || event.ctrlKey) parts.push("Mod");
  if (event.altKey) parts.push("Alt");
  // Shift is part of signs such as "?", and named only beside another modifier.
  if (event.shiftKey && parts.length) parts.push("Shift");
  return [...parts, event.key].join("+");
}

function ownBindings(page) {
  try {
    const own = JSON.parse(localStorage.getItem(STORE) ?? "{}")[page];
    return own && typeof own === "object" ? own : {};
  } catch {
    return {};
  }
}
