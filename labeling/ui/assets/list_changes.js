/** What became of the experts of a list since the version before it. */

import { showDiff } from "./diff.js";
import { h, pill } from "./dom.js";

const TONES = { new: "ok", described: "warn", renamed: "", split: "warn", merged: "warn", reduced: "warn" };
const RECORDED = { rename: "renamed", split: "split", merge: "merged" };

/**
 * Name → `{kind, before}` for every expert that changed: `new`, `described` (the same name with
 * another description, aliases or inputs), `renamed`, `split` (off `before`), `reduced`
 * (what is left of one that was split) or `merged` (of several, whose names stand in `of`). What is recorded counts before what the two
 * lists would tell by themselves.
 */
export function changesOf({ expert_list: list, previous_list: previous, list_changes: recorded = [] }) {
  const changes = new Map();
  if (!previous) return changes;
  const old = new Map(previous.experts.map((expert) => [expert.name, expert]));
  const names = new Set(list.experts.map((expert) => expert.name));
  const said = new Map(recorded.flatMap((change) => change.after.map((name) => [name, change])));
  for (const expert of list.experts) {
    const kind = RECORDED[said.get(expert.name)?.kind];
    if (kind) {
      const of = said.get(expert.name).before;
      const itself = old.get(of.includes(expert.name) ? expert.name : of[0]);
      const isLess = kind === "split" && of.includes(expert.name);
      changes.set(expert.name, { kind: isLess ? "reduced" : kind, before: itself ?? null, of });
      continue;
    }
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
  const words = say(`changes.${change.kind}`, { name: nameOf(change) });
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
    change && h("p", { class: "faint" }, say(`changes.${change.kind}_explained`, { name: nameOf(change) })),
    h("p", {}, differ(before?.description ?? "", expert.description)),
    line("aliases", "dialogue.aliases"),
    line("inputs", "dialogue.inputs"),
  ];
}

function nameOf(change) {
  return change.of?.join(" + ") ?? change.before?.name ?? "";
}

function saysOf({ description, aliases, inputs }) {
  return JSON.stringify([description, aliases, inputs]);
}
