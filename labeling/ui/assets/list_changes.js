/** What became of the experts of a list since the version before it. */

import { showDiff } from "./diff.js";
import { h, pill } from "./dom.js";

const TONES = { new: "ok", described: "warn", renamed: "" };

/**
 * Name → `{kind, before}` for every expert that changed: `new`, `described` (the same name with
 * another description, aliases or inputs) or `renamed` (an alias of it was a name before).
 */
export function changesOf({ expert_list: list, previous_list: previous }) {
  const changes = new Map();
  if (!previous) return changes;
  const old = new Map(previous.experts.map((expert) => [expert.name, expert]));
  const names = new Set(list.experts.map((expert) => expert.name));
  for (const expert of list.experts) {
    const before = old.get(expert.name);
    const alias = expert.aliases.find((each) => old.has(each) && !names.has(each));
    if (before) {
      if (saysOf(before) !== saysOf(expert)) changes.set(expert.name, { kind: "described", before });
    } else if (alias) changes.set(expert.name, { kind: "renamed", before: old.get(alias) });
    else changes.set(expert.name, { kind: "new", before: null });
  }
  return changes;
}

/** The change in a word, or nothing; `onclick` makes it a button that leads to the details. */
export function changePill(change, say, onclick = null) {
  if (!change) return null;
  const words = say(`changes.${change.kind}`, { name: change.before?.name ?? "" });
  if (!onclick) return pill(words, TONES[change.kind]);
  return h("button", { type: "button", class: `pill ${TONES[change.kind]}`, title: say("changes.show"), onclick }, words);
}

/** The expert's description, with what changed in it marked, and its aliases and inputs alike. */
export function describe(expert, change, say) {
  const before = change?.before ?? null;
  const differ = (old, now) => (before && old !== now ? showDiff(old, now) : now);
  const line = (name, words) => {
    const [old, now] = [before?.[name].join("、") ?? "", expert[name].join("、")];
    if (!now && !old) return null;
    return h("p", { class: "faint" }, say(words, { names: "" }), differ(old, now));
  };
  return [
    change && h("p", { class: "faint" }, say(`changes.${change.kind}_explained`, { name: before?.name ?? "" })),
    h("p", {}, differ(before?.description ?? "", expert.description)),
    line("aliases", "dialogue.aliases"),
    line("inputs", "dialogue.inputs"),
  ];
}

function saysOf({ description, aliases, inputs }) {
  return JSON.stringify([description, aliases, inputs]);
}
