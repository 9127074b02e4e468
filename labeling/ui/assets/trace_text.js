/** Reads a trace for marks: where experts are named, what is repeated, which words are banned. */

const REPEATED_FROM = 10;
const PLACES_AT_ONCE = 4000;
const LINE_FROM = 3000; // a longer line is shown in parts, each at the end of a sentence
const PART_FROM = 1200;
const SENTENCE_ENDS = "。！？!?；;\n";
const MOST_OF_SENTENCE = 400;

/** `[{start, end, name}]` of every expert named, longest name first where names overlap. */
export function mentions(text, experts) {
  const nameOf = new Map();
  for (const expert of experts) for (const each of [expert.name, ...expert.aliases]) if (each) nameOf.set(each, expert.name);
  const words = [...nameOf.keys()].sort((one, other) => other.length - one.length);
  if (!words.length) return [];
  const pattern = new RegExp(words.map(bounded).join("|"), "gu");
  return [...text.matchAll(pattern)].map((found) => ({
    start: found.index,
    end: found.index + found[0].length,
    name: nameOf.get(found[0]),
  }));
}

/** A Latin name counts as a whole word only; Chinese has no spaces to ask for. */
function bounded(word) {
  const plain = word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return `${/^\w/.test(word) ? "(?<!\\w)" : ""}${plain}${/\w$/.test(word) ? "(?!\\w)" : ""}`;
}

/**
 * Passages of ten characters and more that stood in the text before, as `[start, end]`. Works in
 * slices: yields from time to time, and gives the list at the end.
 */
export function* repeats(text) {
  const seen = new Map();
  const found = [];
  for (let at = 0; at + REPEATED_FROM <= text.length; at++) {
    if (at % PLACES_AT_ONCE === PLACES_AT_ONCE - 1) yield;
    const piece = text.slice(at, at + REPEATED_FROM);
    const first = seen.get(piece);
    if (first === undefined) seen.set(piece, at);
    else if (first <= at - REPEATED_FROM && piece.trim().length > REPEATED_FROM / 2) {
      const last = found.at(-1);
      if (last && at <= last[1]) last[1] = at + REPEATED_FROM;
      else found.push([at, at + REPEATED_FROM]);
    }
  }
  return found;
}

/** Every place of any of these words, as `[start, end]`; letter case does not count. */
export function places(text, words, most = 5000) {
  const lower = text.toLowerCase();
  const found = [];
  for (const word of words) {
    const wanted = word.toLowerCase();
    for (let at = wanted ? lower.indexOf(wanted) : -1; at >= 0 && found.length < most; at = lower.indexOf(wanted, at + wanted.length)) {
      found.push([at, at + wanted.length]);
    }
  }
  return found.sort((one, other) => one[0] - other[0]);
}

/** The sentences, as `[start, end]`, in which one of these mentions stands. */
export function sentencesWith(text, named) {
  const found = [];
  for (const { start, end } of named) {
    if (start < (found.at(-1)?.[1] ?? 0)) continue;
    let from = start;
    while (from > 0 && start - from < MOST_OF_SENTENCE && !endsAt(text, from - 1)) from--;
    while (/\s/.test(text[from])) from++;
    const to = sentenceEnd(text, end - 1, end + MOST_OF_SENTENCE);
    found.push([from, text[to - 1] === "\n" ? to - 1 : to]);
  }
  return found;
}

/** Whether a sentence ends with the character at this place; a full stop within a number or a name ends none. */
function endsAt(text, at) {
  return SENTENCE_ENDS.includes(text[at]) || (text[at] === "." && /\s/.test(text[at + 1] ?? " "));
}

/** The first end of a sentence from here on, at the latest `most`. */
function sentenceEnd(text, from, most) {
  const last = Math.min(text.length, most);
  for (let at = from; at < last; at++) if (endsAt(text, at)) return at + 1;
  return last;
}

/** After which character every one of these experts has been named; null where one never is. */
export function settledAt(named, names) {
  const left = new Set(names);
  if (!left.size) return null;
  for (const { end, name } of named) if (left.delete(name) && !left.size) return end;
  return null;
}

/** A text as the lines that are drawn, `[start, end]` each; very long lines come in parts, never within a name. */
export function linesOf(text, named = []) {
  const lines = [];
  let next = 0;
  const outside = (at) => {
    while (named[next]?.end <= at) next++;
    return named[next]?.start < at ? named[next].end : at;
  };
  for (let start = 0; start <= text.length; ) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    for (let from = start; ; ) {
      const to = end - from > LINE_FROM ? Math.min(end, outside(partEnd(text, from, end))) : end;
      lines.push([from, to]);
      if (to >= end) break;
      from = to;
    }
    start = end + 1;
  }
  return lines;
}

function partEnd(text, from, end) {
  const at = sentenceEnd(text, from + PART_FROM, Math.min(end, from + LINE_FROM));
  // Never between the halves of a surrogate pair.
  return /[\udc00-\udfff]/.test(text[at] ?? "") ? at + 1 : at;
}
