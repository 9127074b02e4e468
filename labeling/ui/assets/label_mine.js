/** My own work: what was returned, put off, begun or submitted; any of it can be opened from here. */

import { timeOf } from "./desk.js";
import { fill, h, openDialog } from "./dom.js";

const STATES = ["returned", "postponed", "draft", "submitted"];

/** `ask(state)` brings `{mine: [{query_id, text, state, at}]}`, `open(query_id)` opens one; `state` is shown first. */
export function openMine({ ask, open, say, language, state: first }) {
  const list = h("div", { class: "mine-list", role: "list" });
  const tabs = STATES.map((state) =>
    h("button", { type: "button", role: "tab", id: `mine-${state}`, data: { state }, onclick: () => choose(state) }, say(`mine.${state}`)),
  );
  const choose = async (state) => {
    for (const tab of tabs) tab.setAttribute("aria-selected", String(tab.dataset.state === state));
    const answer = await ask(state);
    const rows = answer?.mine ?? [];
    fill(list, rows.length ? rows.map(row) : h("p", { class: "faint" }, say(`mine.none_${state}`)));
  };
  const row = (each) =>
    h(
      "button",
      {
        type: "button",
        class: "mine-row",
        role: "listitem",
        onclick: () => {
          dialog.close();
          open(each.query_id);
        },
      },
      h("b", {}, each.text),
      h("span", { class: "faint" }, each.at ? timeOf(each.at, language) : ""),
    );
  const dialog = openDialog({
    title: say("mine.title"),
    className: "drawer",
    closeLabel: say("dialogue.close"),
    body: [h("div", { class: "tabs", role: "tablist" }, tabs), list],
  });
  choose(STATES.includes(first) ? first : STATES[0]);
}
