/** Finding an item by its text or id, and opening it. */

import { fill, h, openDialog } from "./dom.js";
import { isComposing } from "./keys.js";

const PAUSE_MS = 180;

/**
 * `ask(text)` brings `{found: […]}`, `show(each)` makes the nodes of one of them, `choose(each)` opens
 * it; `placeholder` says what can be
 * found, `nothing` that nothing was.
 */
export function openFind({ ask, show, choose, say, placeholder, nothing }) {
  let found = [];
  let at = 0;
  let asked = 0;
  let waiting = null;

  const input = h("input", {
    type: "search", class: "field", id: "find-text", placeholder, "aria-label": placeholder, autocomplete: "off", spellcheck: "false",
    role: "combobox", "aria-expanded": "true", "aria-controls": "find-list",
    oninput: (event) => !event.isComposing && soon(),
    oncompositionend: () => soon(),
    onkeydown: (event) => onKey(event),
  });
  const list = h("ul", { class: "find-list", id: "find-list", role: "listbox" });
  const told = h("p", { class: "faint", role: "status" }, say("find.how"));
  const dialog = openDialog({ title: say("find.title"), className: "seek", closeLabel: say("dialogue.close"), body: [input, list, told] });

  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, PAUSE_MS);
  };
  const look = async () => {
    const text = input.value.trim();
    const turn = ++asked;
    const answer = text ? await ask(text) : { found: [] };
    if (turn !== asked) return;
    found = answer?.found ?? [];
    at = 0;
    fill(list, found.map((each, place) => h("li", { id: `found-${place}`, role: "option", onclick: () => take(each) }, show(each))));
    fill(told, found.length ? null : text ? nothing : say("find.how"));
    mark();
  };
  const mark = () => {
    [...list.children].forEach((node, place) => {
      node.setAttribute("aria-selected", String(place === at));
      if (place === at) node.scrollIntoView({ block: "nearest" });
    });
    input.setAttribute("aria-activedescendant", found.length ? `found-${at}` : "");
  };
  const take = (each) => {
    dialog.close();
    choose(each);
  };
  const onKey = (event) => {
    if (isComposing(event)) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && found.length) {
      at = (at + by + found.length) % found.length;
      mark();
    } else if (event.key === "Enter" && found[at]) take(found[at]);
    else return;
    event.preventDefault();
  };
  input.focus();
}
