/** Several plans beside one: which step of theirs belongs to which of mine, and how one is taken over. */

import { alignSteps } from "./diff.js";
import * as plans from "./plan.js";

/**
 * Rows of a table with a column for every other plan: `{index, cells, shared}`. `index` is the step of
 * mine, null for steps that only others have (those of one expert share a row); a cell is the place of
 * a step in its plan or null; `shared` counts the plans that call the expert of this row.
 */
export function rowsOf(mine, others) {
  const own = plans.readable(mine).steps;
  const rows = own.map((step, index) => ({ index, expert: step.expert, cells: others.map(() => null) }));
  const extra = [];
  others.forEach((other, column) => {
    const steps = plans.readable(other).steps;
    for (const { before, after, oldIndex, newIndex } of alignSteps(own, steps)) {
      if (after && before) rows[oldIndex].cells[column] = newIndex;
      else if (after) place(extra, after, column, newIndex, others.length);
    }
  });
  extra.sort((one, other) => one.order - other.order);
  return [...rows, ...extra].map(({ index, expert, cells }) => ({
    index,
    cells,
    shared: cells.filter((at, column) => at !== null && plans.readable(others[column]).steps[at].expert === expert).length,
  }));
}

function place(extra, step, column, at, width) {
  let row = extra.find((each) => each.expert === step.expert && each.cells[column] === null);
  if (!row) extra.push((row = { index: null, expert: step.expert, order: step.order, cells: Array(width).fill(null) }));
  row.cells[column] = at;
}

/** My plan with step `at` of another: in place of my step `index`, or (null) where it stands among the others there. */
export function takeStep(mine, other, at, index) {
  const { expert, sub_questions } = plans.readable(other).steps[at];
  if (index === null) return plans.insertStep(mine, { expert, sub_questions }, placeFor(mine, other, at)).plan;
  const own = plans.readable(mine);
  return { ...own, steps: own.steps.with(index, { ...own.steps[index], expert, sub_questions }) };
}

/** Beside the step that it runs with there; else after the last stage that comes before it there. */
function placeFor(mine, other, at) {
  const [own, theirs] = [plans.readable(mine).steps, plans.readable(other).steps];
  const stages = plans.stagesOf(mine);
  const { order } = theirs[at];
  const stageOf = (index) => stages.findIndex((stage) => stage.some((each) => each.index === index));
  const pairs = alignSteps(own, theirs).filter(({ before, after }) => before && after);
  const beside = pairs.find(({ after }) => after.order === order);
  if (beside) return { stage: stageOf(beside.oldIndex), isBeside: true };
  const before = pairs.filter(({ after }) => after.order < order).map(({ oldIndex }) => stageOf(oldIndex));
  return { stage: before.length ? Math.max(...before) + 1 : 0, isBeside: false };
}
