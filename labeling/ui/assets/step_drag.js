/** Steps are dragged by their grip: into a stage beside others, or between stages into one of their own. */

import { h } from "./dom.js";

const EDGE_PX = 11;

/** `ondrop(index, {stage, place})`: place null means a stage of its own in front of `stage`. */
export function makeDraggable(root, ondrop) {
  root.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest?.(".grip");
    if (!grip || event.button !== 0) return;
    event.preventDefault();
    follow(root, grip, event, ondrop);
  });
}

function follow(root, grip, start, ondrop) {
  const card = grip.closest(".step");
  const line = h("div", { class: "drop-line", hidden: true });
  root.append(line);
  let target = null;
  const onmove = (event) => {
    if (Math.abs(event.clientY - start.clientY) < 4 && !target) return;
    card.classList.add("is-dragged");
    target = targetAt(root, event.clientY);
    place(root, line, target);
  };
  const onend = (event) => {
    grip.releasePointerCapture(start.pointerId);
    for (const [name, listener] of Object.entries(listeners)) grip.removeEventListener(name, listener);
    card.classList.remove("is-dragged");
    line.remove();
    if (event.type === "pointerup" && target) ondrop(Number(card.dataset.index), target);
  };
  const listeners = { pointermove: onmove, pointerup: onend, pointercancel: onend };
  grip.setPointerCapture(start.pointerId);
  for (const [name, listener] of Object.entries(listeners)) grip.addEventListener(name, listener);
}

function targetAt(root, y) {
  const stages = [...root.querySelectorAll(".stage")];
  for (const [at, stage] of stages.entries()) {
    const box = stage.getBoundingClientRect();
    if (y < box.top + EDGE_PX) return { stage: at, place: null };
    if (y > box.bottom - EDGE_PX) continue;
    const steps = [...stage.querySelectorAll(".step")];
    const before = steps.findIndex((step) => y < middle(step));
    return { stage: at, place: before < 0 ? steps.length : before };
  }
  return { stage: stages.length, place: null };
}

function middle(node) {
  const box = node.getBoundingClientRect();
  return (box.top + box.bottom) / 2;
}

/** The line stands where the step would come to lie; wide for a stage of its own. */
function place(root, line, { stage, place: at }) {
  const origin = root.getBoundingClientRect();
  const stages = root.querySelectorAll(".stage");
  let y;
  if (at === null) {
    const next = stages[stage];
    y = next ? next.getBoundingClientRect().top - 5 : stages[stage - 1].getBoundingClientRect().bottom + 3;
  } else {
    const steps = stages[stage].querySelectorAll(".step");
    y = at < steps.length ? steps[at].getBoundingClientRect().top - 5 : steps[at - 1].getBoundingClientRect().bottom + 3;
  }
  line.hidden = false;
  line.classList.toggle("is-inside", at !== null);
  line.style.top = `${y - origin.top}px`;
}
