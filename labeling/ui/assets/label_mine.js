/** My own work: what was returned, put off, begun or submitted, and how far we are; any of it opens from here. */

import { timeOf } from "./desk.js";
import { fill, h, openDialog, pill } from "./dom.js";
import { clock } from "./lease.js";

const TABS = ["returned", "comments", "postponed", "draft", "submitted"];

/**
 * `ask(tab)` brings `{mine: [{query_id, text, at, …}]}`, `open(query_id)` opens one, `withdraw(row)` takes a
 * submission back; `progress` is what the header counts; `tab` is shown first.
 */
export function openMine({ ask, open, withdraw, say, language, progress, tab: first }) {
  const list = h("div", { class: "mine-list" });
  const tabs = TABS.map((tab) =>
    h("button", { type: "button", role: "tab", id: `mine-${tab}`, data: { tab }, onclick: () => choose(tab), onkeydown: (event) => onTabKey(event) }, say(`mine.${tab}`)),
  );
  const choose = async (tab) => {
    for (const each of tabs) each.setAttribute("aria-selected", String(each.dataset.tab === tab));
    const answer = await ask(tab);
    const rows = answer?.mine ?? [];
    list.setAttribute("role", rows.length ? "list" : "status");
    fill(list, rows.length ? rows.map((each) => row(each, tab)) : h("p", { class: "faint" }, say(`mine.none_${tab}`)));
  };
  const onTabKey = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    const next = tabs[(tabs.indexOf(event.target) + by + tabs.length) % tabs.length];
    next.focus();
    next.click();
    event.preventDefault();
  };
  const leaveFor = (run) => {
    dialog.close();
    run();
  };
  const row = (each, tab) =>
    h(
      "div",
      { class: "mine-item", role: "listitem" },
      h("button", { type: "button", class: "mine-row", onclick: () => leaveFor(() => open(each.query_id)) }, h("b", {}, each.text), h("span", { class: "faint" }, factsOf(each, say, language)), each.notes.map((note) => h("span", { class: "mine-note" }, note))),
      tab === "submitted" &&
        (each.can_withdraw
          ? h("button", { type: "button", class: "small mine-withdraw", onclick: () => leaveFor(() => withdraw(each)) }, say("actions.withdraw"))
          : pill(say("mine.in_review"))),
    );
  const dialog = openDialog({
    title: say("mine.title"),
    className: "drawer",
    closeLabel: say("dialogue.close"),
    body: [progress && progressOf(progress, say), h("div", { class: "tabs", role: "tablist" }, tabs), list],
  });
  const shown = TABS.includes(first) ? first : TABS[0];
  tabs[TABS.indexOf(shown)].focus();
  choose(shown);
}

/** When, and how long it took. */
function factsOf({ at, lead_seconds, threads }, say, language) {
  const facts = [at && timeOf(at, language)];
  if (lead_seconds >= 1) facts.push(say("mine.lead", { clock: clock(lead_seconds * 1000) }));
  if (threads) facts.push(say("mine.threads", { count: threads }));
  return facts.filter(Boolean).join(" · ");
}

/** Two calm bars: mine today against the goal, ours against all. */
function progressOf({ mine_today, daily_goal, open_labels, decided, queries }, say) {
  const bar = (words, done, all) => {
    const node = h("div", { class: "mine-bar" }, h("span", {}, words), h("s", {}, h("i")));
    node.lastChild.firstChild.style.width = `${all ? Math.min(100, Math.round((100 * done) / all)) : 0}%`;
    return node;
  };
  return h(
    "div",
    { class: "mine-progress" },
    bar(say("mine.today", { done: mine_today, goal: daily_goal }), mine_today, daily_goal),
    bar(say("mine.ours", { decided, queries, open: open_labels }), decided, queries),
  );
}
