/** The history of an item: who did what when, every version beside the one before it, and a way back. */

import { timeOf } from "./desk.js";
import { h, openDialog, pill } from "./dom.js";
import { showComparison } from "./plan_compare.js";
import { reasonList } from "./reasons.js";

/**
 * Show a history; `restore(revision)` puts a version back. `origin` is what the first version began
 * from: a model's `{name, plan}`, or null.
 */
export function openHistory({ history, origin, say, language, hues, restore }) {
  const versions = new Map(history.revisions.map((each) => [each.id, each]));
  const rows = history.timeline.map((entry) => entryOf(entry));
  const dialog = openDialog({
    title: say("history.title"), className: "drawer history", closeLabel: say("dialogue.close"),
    body: rows.length ? h("ol", { class: "story", id: "story" }, rows) : h("p", { class: "faint" }, say("history.none")),
  });
  const last = [...dialog.querySelectorAll("summary")].at(-1);
  if (last) {
    last.parentElement.open = true;
    last.focus();
  }
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [...dialog.querySelectorAll("summary")];
    const at = all.indexOf(document.activeElement);
    if (!by || at < 0) return;
    all[Math.min(Math.max(at + by, 0), all.length - 1)].focus();
    event.preventDefault();
  });
  return dialog;

  function entryOf(entry) {
    const version = made(entry);
    return h(
      "li",
      { class: "story-entry", data: { action: entry.action } },
      h(
        "div",
        { class: "story-head" },
        h("time", { datetime: entry.at }, timeOf(entry.at, language)),
        h("b", {}, entry.person ?? say("history.someone")),
        h("span", {}, entry.words),
        version && pill(nameOf(version), version.id === history.revision_id ? "ok" : "plain"),
        version?.id === history.revision_id && pill(say("history.now"), "ok"),
      ),
      reasonOf(entry),
      version && versionOf(version),
    );
  }

  /** The version that an entry made, once. */
  function made(entry) {
    if (!["submitted", "fixed", "refused", "restored"].includes(entry.action)) return null;
    return versions.get(entry.why.revision ?? entry.why.kept) ?? null;
  }

  function nameOf(version) {
    return version.kind === "refused" ? say("history.kept") : say("history.version", { number: version.number });
  }

  function reasonOf({ why, reasons }) {
    const plan = versions.get(why.revision)?.plan ?? {};
    return reasons.length > 0 && reasonList(reasons, { plan, say });
  }

  function versionOf(version) {
    const before = history.revisions.filter((each) => each.number < version.number && each.kind !== "refused").at(-1);
    const base = before ? { name: nameOf(before), plan: before.plan } : (origin ?? { name: say("history.first"), plan: { steps: [] } });
    const names = { before: base.name, after: nameOf(version) };
    const isNow = version.id === history.revision_id && history.state !== "returned" && history.state !== "draft";
    const back = history.may_restore && !isNow && h("button", { type: "button", class: "small", data: { restore: version.id }, title: say("history.restore_explained"), onclick: () => {
      dialog.close();
      restore(version);
    } }, say("history.restore"));
    return h(
      "details",
      { class: "story-version" },
      h("summary", {}, before || !origin ? say("history.changes") : say("history.changes_model", { model: origin.name })),
      showComparison(base.plan, version.plan, { say, names, hues }),
      back,
    );
  }
}

/** The suggestion that an item's first version began from, as `openHistory` wants it. */
export function originOf({ suggestions, suggestion_id }, say) {
  const found = suggestions.find((each) => each.id === suggestion_id);
  const plan = found?.plan ?? found?.partial_plan;
  return plan ? { name: found.model || say("editor.model"), plan } : null;
}
