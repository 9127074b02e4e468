/**
 * Steps are dragged by their grip: into a stage beside others, or between stages into one of their own.
 * Sub-questions are dragged by their number: within their step or into another. Escape lets go.
 */

import { h } from "./dom.js";

const EDGE_PX = 11;
const SCROLL_EDGE_PX = 70;

/**
 * `onstep(index, {stage, place})`: place null means a stage of its own in front of `stage`.
 * `onsub({index, at}, {index, at})`: before which sub-question of which step, counted before the move.
 */
export function makeDraggable(root, { onstep, onsub }) {
  root.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest?.(".grip, button.number");
    if (!grip || event.button !== 0) return;
    event.preventDefault();
    grip.focus({ preventScroll: true });
    follow(root, grip, event, grip.matches(".grip") ? stepKind(root, grip, onstep) : subKind(root, grip, onsub));
  });
}

function follow(root, grip, start, { card, targetAt, lineAt, drop }) {
  const line = h("div", { class: "drop-line", hidden: true });
  root.append(line);
  let target = null;
  let last = start;
  let isOver = false;
  const show = () => {
    target = targetAt(last.clientY);
    const { y, inset } = lineAt(target);
    line.hidden = false;
    line.style.top = `${y - root.getBoundingClientRect().top}px`;
    line.style.left = `${inset}px`;
  };
  const scroll = () => {
    if (isOver) return;
    const down = Math.max(0, last.clientY - (innerHeight - SCROLL_EDGE_PX - 60));
    const up = Math.max(0, SCROLL_EDGE_PX + 48 - last.clientY);
    if (target && (down || up)) {
      scrollBy(0, (down - up) / 4);
      show();
    }
    requestAnimationFrame(scroll);
  };
  const onmove = (event) => {
    if (Math.abs(event.clientY - start.clientY) < 4 && !target) return;
    card.classList.add("is-dragged");
    last = event;
    show();
  };
  const end = (event) => {
    isOver = true;
    grip.releasePointerCapture(start.pointerId);
    for (const [name, listener] of Object.entries(listeners)) grip.removeEventListener(name, listener);
    card.classList.remove("is-dragged");
    line.remove();
    if (event.type === "pointerup" && target) drop(target);
  };
  const onkey = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    end(event);
  };
  const listeners = { pointermove: onmove, pointerup: end, pointercancel: end, keydown: onkey };
  grip.setPointerCapture(start.pointerId);
  for (const [name, listener] of Object.entries(listeners)) grip.addEventListener(name, listener);
  requestAnimationFrame(scroll);
}

/** A step: its line stands where it would come to lie; wide for a stage of its own. */
function stepKind(root, grip, onstep) {
  const card = grip.closest(".step");
  const stages = [...root.querySelectorAll(".stage")];
  const targetAt = (y) => {
    for (const [at, stage] of stages.entries()) {
      const box = stage.getBoundingClientRect();
      if (y < box.top + EDGE_PX) return { stage: at, place: null };
      if (y > box.bottom - EDGE_PX) continue;
      const steps = [...stage.querySelectorAll(".step")];
      const before = steps.findIndex((step) => y < middle(step));
      return { stage: at, place: before < 0 ? steps.length : before };
    }
    return { stage: stages.length, place: null };
  };
  const lineAt = ({ stage, place }) => {
    const nodes = place === null ? stages : [...stages[stage].querySelectorAll(".step")];
    return { y: edge(nodes, place ?? stage), inset: place === null ? 0 : 40 };
  };
  return { card, targetAt, lineAt, drop: (target) => onstep(Number(card.dataset.index), target) };
}

function subKind(root, grip, onsub) {
  const card = grip.closest("li");
  const step = card.closest(".step");
  const steps = [...root.querySelectorAll(".step")];
  const rows = (node) => [...node.querySelectorAll(".subs > li")];
  const targetAt = (y) => {
    const node = steps.find((each) => y < each.getBoundingClientRect().bottom) ?? steps.at(-1);
    const before = rows(node).findIndex((row) => y < middle(row));
    return { node, at: before < 0 ? rows(node).length : before };
  };
  const lineAt = ({ node, at }) => ({ y: rows(node).length ? edge(rows(node), at) : node.getBoundingClientRect().bottom - 5, inset: 68 });
  const from = { index: Number(step.dataset.index), at: rows(step).indexOf(card) };
  return { card, targetAt, lineAt, drop: ({ node, at }) => onsub(from, { index: Number(node.dataset.index), at }) };
}

/** The height between two neighbours of a list, or at its ends. */
function edge(nodes, at) {
  return at < nodes.length ? nodes[at].getBoundingClientRect().top - 5 : nodes[at - 1].getBoundingClientRect().bottom + 3;
}

function middle(node) {
  const box = node.getBoundingClientRect();
  return (box.top + box.bottom) / 2;
}
