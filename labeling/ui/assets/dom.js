/** Builds nodes. Data only ever becomes text: nothing here parses markup. */

/**
 * Make an element: `h("button", {class: "primary", onclick: f}, "Save")`.
 * A function under `on…` becomes a listener, `data` a dataset, `true` an empty attribute;
 * `false`, `null` and `undefined` leave the attribute out.
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

/** Append nodes and texts, flattening lists and passing over what is absent. */
export function append(node, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
}

/** Put new children in place of the old ones. */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

/**
 * A form around one field. At every key browsers read the whole form of the field for their autofill, and of a field
 * without a form everything on the page that could be filled: 7 ms a key in a plan of 60 steps (Chromium 156).
 */
export function formOf(attributes, ...children) {
  return h("form", { ...attributes, autocomplete: "off", onsubmit: (event) => event.preventDefault() }, children);
}

/** A small coloured word; `tone` is ok, warn, bad or nothing. */
export function pill(text, tone = "", attributes = {}) {
  return h("span", { ...attributes, class: `pill ${tone}` }, text);
}

/** Whether keys typed there are text and not commands. */
export function isTextField(node) {
  if (!(node instanceof HTMLElement)) return false;
  if (node.isContentEditable || node.tagName === "TEXTAREA" || node.tagName === "SELECT") return true;
  return node.tagName === "INPUT" && !["checkbox", "radio", "button", "range"].includes(node.type);
}

/** Let a text area be as tall as its text; browsers that can do it by themselves are left alone. */
export function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

/** A dialog over the page that closes by Escape, by its button or by a click beside it. */
export function openDialog({ title, body, buttons = [], closeLabel, className = "", onclose }) {
  const before = document.activeElement;
  // Closing is told later; until then a field in here would still take the next key.
  const leave = () => dialog.contains(document.activeElement) && document.activeElement.blur();
  const close = () => {
    leave();
    dialog.close();
  };
  const heading = h("h2", { id: "pw-dialog-title" }, title);
  const cross = h("button", { type: "button", class: "quiet", "aria-label": closeLabel, onclick: close }, "✕");
  const head = h("header", {}, heading, cross);
  const foot = buttons.length ? h("div", { class: "dialog-foot" }, buttons) : null;
  const dialog = h(
    "dialog",
    { class: `pw-dialog ${className}`, "aria-labelledby": "pw-dialog-title" },
    head,
    h("div", { class: "dialog-body", tabindex: -1, autofocus: true }, body),
    foot,
  );
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  dialog.addEventListener("cancel", leave);
  // A search field would take the first Escape to empty itself.
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || event.target.type !== "search") return;
    event.preventDefault();
    close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    onclose?.();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  (document.querySelector(".pw-desk") ?? document.body).append(dialog);
  dialog.showModal();
  return dialog;
}
