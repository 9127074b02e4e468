/** Places of a plan in words, and the choice of the one that a return is about. */

import { h } from "./dom.js";
import { readable } from "./plan.js";

/** `$.steps[1].sub_questions[0]` as people say it: step 2, sub-question 1. */
export function wordsOfPath(path, plan, say) {
  if (path === "$.rewritten_query") return say("editor.rewritten_query");
  if (path === "$" || path === "$.steps") return say("path.whole_plan");
  const found = /^\$\.steps\[(\d+)\](?:\.sub_questions\[(\d+)\])?/.exec(path);
  if (!found) return path;
  const step = Number(found[1]);
  const words = { number: step + 1, expert: readable(plan).steps[step]?.expert ?? "" };
  if (found[2] === undefined) return say("path.step", words);
  return say("path.step_sub", { ...words, sub: Number(found[2]) + 1 });
}

/** A list of every place of the plan; `value` is the chosen path or null for the whole plan. */
export function choosePath(plan, chosen, say) {
  const paths = ["$.rewritten_query"];
  readable(plan).steps.forEach((step, index) => {
    paths.push(`$.steps[${index}]`);
    step.sub_questions.forEach((_, at) => paths.push(`$.steps[${index}].sub_questions[${at}]`));
  });
  const option = (value, words) => h("option", { value, selected: value === (chosen ?? "") }, words);
  const select = h(
    "select",
    { class: "field", id: "return-path" },
    option("", say("path.whole_plan")),
    paths.map((path) => option(path, wordsOfPath(path, plan, say))),
  );
  return {
    node: h("label", { class: "labelled" }, h("span", {}, say("path.about")), select),
    get value() {
      return select.value || null;
    },
  };
}
