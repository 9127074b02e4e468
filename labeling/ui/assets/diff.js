/** Differences between two texts and between two lists of steps. */

import { h } from "./dom.js";

// Chinese, Japanese and Korean by character, everything else by word, so that a change reads well.
const TOKEN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]|[\p{L}\p{M}\p{N}_]+|\s+|[^]/gu;
const MOST_CELLS = 4_000_000;

/** The pieces of a text that a difference is made of. */
export function tokens(text) {
  return text.match(TOKEN) ?? [];
}

/** How `before` becomes `after`: a list of `{kind: "same" | "gone" | "new", text}`. */
export function diffText(before, after) {
  const a = tokens(before);
  const b = tokens(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const middle = diffTokens(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const parts = [
    { kind: "same", text: a.slice(0, start).join("") },
    ...middle,
    { kind: "same", text: end ? a.slice(-end).join("") : "" },
  ];
  return withoutIslands(merged(parts));
}

function diffTokens(a, b) {
  const gone = { kind: "gone", text: a.join("") };
  const fresh = { kind: "new", text: b.join("") };
  if (!a.length || !b.length || a.length * b.length > MOST_CELLS) return [gone, fresh];
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1] + 1
          : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const parts = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      parts.push({ kind: "same", text: a[i++] });
      j++;
    } else if (j >= b.length || (i < a.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      parts.push({ kind: "gone", text: a[i++] });
    } else parts.push({ kind: "new", text: b[j++] });
  }
  return parts;
}

/** Neighbours of a kind joined; within a change the old words stand before the new ones. */
function merged(parts) {
  const result = [];
  let [gone, fresh] = ["", ""];
  const flush = () => {
    if (gone) result.push({ kind: "gone", text: gone });
    if (fresh) result.push({ kind: "new", text: fresh });
    [gone, fresh] = ["", ""];
  };
  for (const part of parts) {
    if (!part.text) continue;
    if (part.kind === "gone") gone += part.text;
    else if (part.kind === "new") fresh += part.text;
    else {
      flush();
      const last = result.at(-1);
      if (last?.kind === "same") last.text += part.text;
      else result.push({ ...part });
    }
  }
  flush();
  return result;
}

/** A single character that stayed by chance between two changes is shown as changed too. */
function withoutIslands(parts) {
  const changed = (part) => part && part.kind !== "same";
  const widened = parts.flatMap((part, at) => {
    const isIsland = part.kind === "same" && [...part.text].length < 2 && changed(parts[at - 1]) && changed(parts[at + 1]);
    return isIsland ? [{ kind: "gone", text: part.text }, { kind: "new", text: part.text }] : [part];
  });
  return merged(widened);
}

/** A difference as nodes: what is new in `ins`, what is gone in `del`. */
export function showDiff(before, after, { gone = true, fresh = true } = {}) {
  return diffText(before, after)
    .filter((part) => part.kind === "same" || (part.kind === "gone" ? gone : fresh))
    .map((part) => {
      if (part.kind === "same") return document.createTextNode(part.text);
      return h(part.kind === "gone" ? "del" : "ins", {}, part.text);
    });
}

/** How often each token stands in a text. */
function bagOf(text) {
  const bag = new Map();
  for (const token of tokens(text)) bag.set(token, (bag.get(token) ?? 0) + 1);
  return { text, bag, size: [...bag.values()].reduce((sum, count) => sum + count, 0) };
}

/** Share of tokens that two bags have in common, 0 to 1. */
function likeness(one, other) {
  if (one.text === other.text) return 1;
  if (!one.size || !other.size) return 0;
  let common = 0;
  for (const [token, count] of one.bag) common += Math.min(count, other.bag.get(token) ?? 0);
  return (2 * common) / (one.size + other.size);
}

/**
 * Which step became which. Rows stand in the order of `after`, with what is gone at its old place:
 * `{before, after, kinds}`; an absent side is null, `kinds` holds new, gone, changed and moved.
 */
export function alignSteps(before, after) {
  const pairs = [];
  const [oldBags, newBags] = [before, after].map((steps) => steps.map((step) => bagOf(step.sub_questions.join("\n"))));
  before.forEach((old, i) =>
    after.forEach((now, j) => {
      const words = likeness(oldBags[i], newBags[j]);
      const score = (old.expert === now.expert ? 1.2 : 0) + words + (old.order === now.order ? 0.1 : 0);
      if (score > 0.6) pairs.push({ i, j, score });
    }),
  );
  pairs.sort((one, other) => other.score - one.score || one.i - other.i);
  const [oldOf, newOf] = [new Map(), new Map()];
  for (const { i, j } of pairs) {
    if (oldOf.has(j) || newOf.has(i)) continue;
    oldOf.set(j, i);
    newOf.set(i, j);
  }
  // What is left on both sides of one stage took the other's place.
  after.forEach((now, j) => {
    const i = oldOf.has(j) ? -1 : before.findIndex((old, at) => !newOf.has(at) && old.order === now.order);
    if (i < 0) return;
    oldOf.set(j, i);
    newOf.set(i, j);
  });
  const rows = after.map((now, j) => row(oldOf.has(j) ? before[oldOf.get(j)] : null, now, oldOf.get(j) ?? null, j));
  before.forEach((old, i) => {
    if (newOf.has(i)) return;
    const place = rows.findIndex((each) => each.oldIndex !== null && each.oldIndex > i);
    rows.splice(place < 0 ? rows.length : place, 0, row(old, null, i, null));
  });
  return rows;
}

/** For every text of `after` the one of `before` that it came from, or null: equal ones first, then those at its place. */
export function alignTexts(before, after) {
  const left = new Set(before.keys());
  const from = after.map((text) => {
    const at = [...left].find((each) => before[each] === text) ?? null;
    left.delete(at);
    return at;
  });
  return from.map((found, at) => {
    const place = found ?? (left.delete(at) ? at : null);
    return place === null ? null : before[place];
  });
}

function row(before, after, oldIndex, newIndex) {
  const kinds = [];
  if (!before) kinds.push("new");
  else if (!after) kinds.push("gone");
  else {
    const isSame = before.expert === after.expert && sameTexts(before.sub_questions, after.sub_questions);
    if (!isSame) kinds.push("changed");
    if (before.order !== after.order) kinds.push("moved");
  }
  return { before, after, oldIndex, newIndex, kinds };
}

function sameTexts(one, other) {
  return one.length === other.length && one.every((text, at) => text === other[at]);
}
