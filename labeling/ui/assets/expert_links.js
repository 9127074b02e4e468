/**
 * The same expert in trace, plan and graph: what is pointed at lights up in the other places, and a
 * name in the trace leads to the steps that call it. Every such node carries its name in
 * `data-expert`, so this knows nothing of how they are drawn.
 */

const FLASH_MS = 900;

/** `show()` brings the plan in sight where it is hidden behind another tab. */
export function linkExperts({ root, trace, plan, show }) {
  let lit = null;
  const light = (source) => {
    const name = source?.dataset.expert || null;
    const key = name && `${source.localName} ${name}`;
    if (key === lit) return;
    lit = key;
    trace.light(name);
    for (const node of plan.querySelectorAll(".is-lit")) node.classList.remove("is-lit");
    // The step that is worked in is seen anyway; its fields stay as calm as they are.
    const others = source?.matches(".step") ? ".node" : "*";
    for (const node of named(plan, name)) if (node.matches(others)) node.classList.add("is-lit");
  };
  const sourceOf = (event) => event.target.closest?.("[data-expert]") ?? null;
  root.addEventListener("pointerover", (event) => light(sourceOf(event)));
  root.addEventListener("focusin", (event) => light(sourceOf(event)));
  root.addEventListener("pointerleave", () => light(null));

  const lead = (event) => {
    const name = event.target.closest?.("mark[data-expert]")?.dataset.expert;
    if (!name) return false;
    if (!visible(plan, name).length) show();
    const steps = visible(plan, name);
    flash(named(plan, name));
    const within = steps.findIndex((step) => step.contains(document.activeElement));
    goTo(steps[(within + 1) % steps.length]);
    return true;
  };
  trace.body.addEventListener("click", lead);
  trace.body.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && lead(event)) event.preventDefault();
  });
}

function named(plan, name) {
  return name ? [...plan.querySelectorAll(`[data-expert="${CSS.escape(name)}"]`)] : [];
}

function visible(plan, name) {
  return named(plan, name).filter((node) => node.matches(".step") && node.offsetParent);
}

function goTo(step) {
  if (!step) return;
  const field = step.querySelector("input, textarea") ?? step;
  field.focus({ preventScroll: true });
  step.scrollIntoView({ block: "nearest", behavior: "instant" });
}

function flash(nodes) {
  for (const node of nodes) {
    node.classList.remove("is-flashed");
    void node.offsetWidth; // so that the animation begins again
    node.classList.add("is-flashed");
    setTimeout(() => node.classList.remove("is-flashed"), FLASH_MS);
  }
}
