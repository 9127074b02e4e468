/**
 * What can be done to a plan. Every function takes a plan and gives a new one; steps come out
 * sorted by stage with stages counted from 1, and keys that we do not know are carried along.
 */

export const EMPTY_PLAN = { rewritten_query: "", steps: [] };

/** Whether the form can show this value: the kinds are right, though the content may be wrong. */
export function isPlanShaped(value) {
  if (!isObject(value) || typeof (value.rewritten_query ?? "") !== "string") return false;
  const steps = value.steps ?? [];
  return Array.isArray(steps) && steps.every(isStepShaped);
}

function isStepShaped(step) {
  if (!isObject(step) || typeof (step.expert ?? "") !== "string") return false;
  const texts = step.sub_questions ?? [];
  const hasOrder = step.order === undefined || Number.isInteger(step.order);
  return hasOrder && Array.isArray(texts) && texts.every((text) => typeof text === "string");
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The plan with absent keys filled by empty values, for reading only. */
export function readable(plan) {
  if (!isPlanShaped(plan)) return EMPTY_PLAN;
  const steps = (plan.steps ?? []).map((step, at) => ({
    ...step,
    expert: step.expert ?? "",
    sub_questions: step.sub_questions ?? [],
    order: step.order ?? at + 1,
  }));
  return { ...plan, rewritten_query: plan.rewritten_query ?? "", steps };
}

/** Steps by stage: `[[{step, index}, …], …]`; `index` is the step's place in `plan.steps`. */
export function stagesOf(plan) {
  const byOrder = new Map();
  readable(plan).steps.forEach((step, index) => {
    if (!byOrder.has(step.order)) byOrder.set(step.order, []);
    byOrder.get(step.order).push({ step, index });
  });
  return [...byOrder.keys()].sort((a, b) => a - b).map((order) => byOrder.get(order));
}

/** The same value when the form can read it alike; used to tell a change from a re-writing. */
export function isSamePlan(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

export function setRewrite(plan, text) {
  return { ...readable(plan), rewritten_query: text };
}

export function setExpert(plan, index, expert) {
  return changeStep(plan, index, (step) => ({ ...step, expert }));
}

export function setSubQuestion(plan, index, at, text) {
  return changeStep(plan, index, (step) => ({ ...step, sub_questions: step.sub_questions.with(at, text) }));
}

export function addSubQuestion(plan, index, at, text = "") {
  return changeStep(plan, index, (step) => ({ ...step, sub_questions: step.sub_questions.toSpliced(at, 0, text) }));
}

export function removeSubQuestion(plan, index, at) {
  return changeStep(plan, index, (step) => ({ ...step, sub_questions: step.sub_questions.toSpliced(at, 1) }));
}

/** Swap a sub-question with its neighbour; the same plan when there is none on that side. */
export function moveSubQuestion(plan, index, at, by) {
  const texts = readable(plan).steps[index].sub_questions;
  if (at + by < 0 || at + by >= texts.length) return plan;
  const moved = texts.with(at, texts[at + by]).with(at + by, texts[at]);
  return changeStep(plan, index, (step) => ({ ...step, sub_questions: moved }));
}

/**
 * Put a sub-question before the one at `to.at` of step `to.index`, counted before the move; gives the
 * plan and where the text stands now. A step that loses its last one keeps an empty one.
 */
export function dropSubQuestion(plan, from, to) {
  const full = readable(plan);
  const text = full.steps[from.index].sub_questions[from.at];
  const isSameStep = from.index === to.index;
  const at = isSameStep && to.at > from.at ? to.at - 1 : to.at;
  const left = full.steps[from.index].sub_questions.toSpliced(from.at, 1);
  const taken = changeStep(full, from.index, (step) => ({ ...step, sub_questions: left.length || isSameStep ? left : [""] }));
  const put = changeStep(taken, to.index, (step) => ({ ...step, sub_questions: step.sub_questions.toSpliced(at, 0, text) }));
  return { plan: put, at };
}

/** A new step in a stage of its own after the stage of step `index`, or at the end (`null`). */
export function addStep(plan, index = null) {
  const stages = stagesOf(plan);
  const at = index === null ? stages.length : stageOf(stages, index) + 1;
  const step = { expert: "", sub_questions: [""], order: 0 };
  return fromStages(plan, stages.toSpliced(at, 0, [{ step, index: -1 }]), -1);
}

/** A step put beside the others of stage `stage`, or, not `isBeside`, into a stage of its own in front of it. */
export function insertStep(plan, { expert, sub_questions }, { stage, isBeside }) {
  const stages = stagesOf(plan);
  const me = { step: { expert, sub_questions, order: 0 }, index: -1 };
  const next = isBeside ? stages.with(stage, [...stages[stage], me]) : stages.toSpliced(stage, 0, [me]);
  return fromStages(plan, next, -1);
}

export function removeStep(plan, index) {
  const stages = stagesOf(plan).map((stage) => stage.filter((each) => each.index !== index));
  return fromStages(plan, stages, null).plan;
}

/**
 * Move a step up (-1) or down (+1). Alone in its stage, it passes the neighbouring stage; beside
 * others it changes places with them, and at their edge it leaves them for a stage of its own.
 */
export function moveStep(plan, index, by) {
  const stages = stagesOf(plan);
  const at = stageOf(stages, index);
  const stage = stages[at];
  const place = stage.findIndex((each) => each.index === index);
  if (stage.length === 1) {
    const next = at + by;
    if (next < 0 || next >= stages.length) return { plan, index };
    return fromStages(plan, stages.with(at, stages[next]).with(next, stage), index);
  }
  const next = place + by;
  if (next >= 0 && next < stage.length) {
    const swapped = stage.with(place, stage[next]).with(next, stage[place]);
    return fromStages(plan, stages.with(at, swapped), index);
  }
  const rest = stage.toSpliced(place, 1);
  const parts = by < 0 ? [[stage[place]], rest] : [rest, [stage[place]]];
  return fromStages(plan, stages.toSpliced(at, 1, ...parts), index);
}

/** Run a step with the stage before it, or, when it has company, in a stage of its own after them. */
export function toggleParallel(plan, index) {
  const stages = stagesOf(plan);
  const at = stageOf(stages, index);
  const [me] = stages[at].filter((each) => each.index === index);
  const rest = stages[at].filter((each) => each.index !== index);
  if (rest.length) return fromStages(plan, stages.toSpliced(at, 1, rest, [me]), index);
  if (at === 0) return { plan, index };
  return fromStages(plan, stages.toSpliced(at - 1, 2, [...stages[at - 1], me]), index);
}

/**
 * Put a step where it was dropped: `{stage, place}` counted before the move; with `place` null it
 * gets a stage of its own in front of `stage`.
 */
export function dropStep(plan, index, { stage: target, place }) {
  const stages = stagesOf(plan);
  const at = stageOf(stages, index);
  const [me] = stages[at].filter((each) => each.index === index);
  const marked = stages.map((stage) => stage.map((each) => (each === me ? null : each)));
  if (place === null) marked.splice(target, 0, [me]);
  else marked[target] = marked[target].toSpliced(place, 0, me);
  return fromStages(plan, marked.map((stage) => stage.filter(Boolean)), index);
}

function changeStep(plan, index, change) {
  const full = readable(plan);
  return { ...full, steps: full.steps.with(index, change(full.steps[index])) };
}

function stageOf(stages, index) {
  return stages.findIndex((stage) => stage.some((each) => each.index === index));
}

/** A plan from stages, and where the step that was at `index` stands now. */
function fromStages(plan, stages, index) {
  const full = stages.filter((stage) => stage.length);
  const placed = full.flatMap((stage, at) => stage.map((each) => ({ ...each, order: at + 1 })));
  const steps = placed.map(({ step, order }) => ({ ...step, order }));
  return {
    plan: { ...readable(plan), steps },
    index: placed.findIndex((each) => each.index === index),
  };
}
