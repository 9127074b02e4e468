/** Reads a trace for marks: where experts are named, what is repeated, which words are banned. */

const REPEATED_FROM = 10;

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

/** Passages of ten characters and more that stood in the text before, as `[start, end]`. */
export function repeats(text) {
  const seen = new Map();
  const found = [];
  for (let at = 0; at + REPEATED_FROM <= text.length; at++) {
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
