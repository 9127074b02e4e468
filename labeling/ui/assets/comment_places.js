/** Where comments stand: a place of a plan that may have changed since, or a passage of a trace. */

import { readable } from "./plan.js";

export const LONGEST_QUOTE = 500;
const SURROGATES = /[\ud800-\udbff]/;

/** A plan's path as comments name it: the head of a step is the step. */
export function commentPath(path) {
  return path.replace(/\.(expert|sub_questions)$/, "").replace(/^\$\.steps$/, "$");
}

/** The text that stands at a path; undefined where there is none. A step's is its expert. */
export function textAt(plan, path) {
  const { rewritten_query, steps } = readable(plan);
  if (path === "$") return "";
  if (path === "$.rewritten_query") return rewritten_query;
  const found = /^\$\.steps\[(\d+)\](?:\.sub_questions\[(\d+)\])?$/.exec(path);
  const step = found && steps[Number(found[1])];
  if (!step) return undefined;
  return found[2] === undefined ? step.expert : step.sub_questions[Number(found[2])];
}

/** The anchor of a place as it reads now. */
export function planAnchor(plan, path) {
  return { kind: "plan", path, quote: cut(textAt(plan, path) ?? "") };
}

/**
 * Where a place of a plan is now: `{path, state}` with state `here`, `moved` (the same words stand
 * elsewhere), `changed` (other words stand there) or `gone` (`path` is what was around it).
 */
export function placeInPlan(plan, { path, quote }) {
  const text = textAt(plan, path);
  if (text !== undefined && cut(text) === quote) return { path, state: "here" };
  const elsewhere = quote ? nearest(path, pathsLike(plan, path).filter((each) => cut(textAt(plan, each)) === quote)) : null;
  if (elsewhere) return { path: elsewhere, state: "moved" };
  if (text !== undefined) return { path, state: "changed" };
  const step = /^\$\.steps\[\d+\]/.exec(path)?.[0];
  return { path: step && textAt(plan, step) !== undefined ? step : "$", state: "gone" };
}

/** Where a passage of a trace is: `{start, end, state}` in units of a JavaScript string. */
export function placeInTrace(trace, { start, end, quote }) {
  const [from, to] = [toUnits(trace, start), toUnits(trace, end)];
  return { start: from, end: to, state: cut(trace.slice(from, to)) === quote && quote ? "here" : "changed" };
}

/** The anchor of a passage, counted in code points as the server counts. */
export function traceAnchor(suggestion_id, trace, start, end) {
  return { kind: "trace", suggestion_id, start: toPoints(trace, start), end: toPoints(trace, end), quote: cut(trace.slice(start, end)) };
}

/** How many code points the first `units` units of a text are. */
export function toPoints(text, units) {
  if (!SURROGATES.test(text)) return units;
  return [...text.slice(0, units)].length;
}

/** How many units the first `points` code points of a text are. */
export function toUnits(text, points) {
  if (!SURROGATES.test(text)) return Math.min(points, text.length);
  let units = 0;
  for (let at = 0; at < points && units < text.length; at++) units += text.codePointAt(units) > 0xffff ? 2 : 1;
  return units;
}

/** A new id that sorts by time (UUIDv7); made here so that a comment sent twice is one comment. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = Date.now();
  for (let at = 5; at >= 0; at--) {
    bytes[at] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function cut(text) {
  if (text.length <= LONGEST_QUOTE) return text;
  return [...text].slice(0, LONGEST_QUOTE).join("");
}

/** Every place of a plan of the same kind: steps for a step, sub-questions for a sub-question. */
function pathsLike(plan, path) {
  if (!path.startsWith("$.steps[")) return [];
  const isSub = path.includes(".sub_questions[");
  return readable(plan).steps.flatMap((step, index) =>
    isSub ? step.sub_questions.map((_, at) => `$.steps[${index}].sub_questions[${at}]`) : [`$.steps[${index}]`],
  );
}

function nearest(path, paths) {
  if (!paths.length) return null;
  const numbers = (each) => each.match(/\d+/g).map(Number);
  const [step, sub = 0] = numbers(path);
  const distance = (each) => {
    const [otherStep, otherSub = 0] = numbers(each);
    return Math.abs(otherStep - step) * 1000 + Math.abs(otherSub - sub);
  };
  return paths.sort((one, other) => distance(one) - distance(other))[0];
}
