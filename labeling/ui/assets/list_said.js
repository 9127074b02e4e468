/** What became of whom in a draft, for a person to confirm or change; and what it would mean. */

import { fill, h, pill } from "./dom.js";

const NONE = { before: ["add"], after: ["retire"] };

export class ListChanges {
  constructor({ say, kinds, changed }) {
    Object.assign(this, { say, kinds, tell: changed });
    this.root = h("div", { id: "draft-changes" });
    this.names = { before: [], after: [] };
  }

  /** The changes of a draft: those that were confirmed, else those that the lists suggest. */
  show(draft) {
    this.hasBase = Boolean(draft.base);
    this.isConfirmed = draft.changes !== null;
    this.rows = copyOf(draft.changes ?? draft.proposed);
    this.names = { before: draft.base_names, after: namesOf(draft.content) };
    this.draw();
  }

  propose(draft) {
    this.rows = copyOf(draft.proposed);
    this.isConfirmed = false;
    this.draw();
  }

  confirm() {
    this.isConfirmed = true;
    this.draw();
  }

  /** What a person has confirmed; null where nobody has. */
  confirmed() {
    return this.isConfirmed ? this.rows.map(({ kind, before, after }) => ({ kind, before, after })) : null;
  }

  setNames(before, after) {
    this.names = { before, after };
    this.draw();
  }

  draw() {
    const { say } = this;
    const source = this.isConfirmed ? pill(say("draft_confirmed"), "ok") : pill(say("draft_unconfirmed"), "warn");
    fill(this.root, h("h3", {}, say("draft_changes"), " ", this.hasBase && source),
      !this.hasBase && h("p", { class: "ld-mute" }, say("draft_no_base")),
      this.hasBase && !this.rows.length && h("p", { class: "ld-mute" }, say("draft_no_changes")),
      this.rows.map((row, place) => this.row(row, place)),
      this.hasBase && h("button", { type: "button", id: "draft-add-change", onclick: () => this.edit(() => this.rows.push({ kind: "add", before: [], after: [] })) }, say("draft_add_change")));
  }

  row(row, place) {
    const { say } = this;
    const kind = h("select", { "aria-label": say("draft_kind") }, this.kinds.map((each) => h("option", { value: each, selected: each === row.kind }, say(`kind_${each}`))));
    kind.addEventListener("change", () => this.edit(() => {
      row.kind = kind.value;
      for (const side of ["before", "after"]) if (NONE[side].includes(row.kind)) row[side] = [];
    }));
    return h("div", { class: "ld-change" },
      h("div", { class: "ld-line" }, kind, row.why && h("span", { class: "ld-mute" }, row.why), h("span", { class: "ld-space" }),
        h("button", { type: "button", class: "ld-icon", title: say("draft_remove"), "aria-label": say("draft_remove"), onclick: () => this.edit(() => this.rows.splice(place, 1)) }, "×")),
      h("div", { class: "ld-sides" }, this.side(row, "before"), h("span", {}, "→"), this.side(row, "after")));
  }

  side(row, side) {
    const { say } = this;
    if (NONE[side].includes(row.kind)) return h("span", { class: "ld-mute" }, "–");
    const free = this.names[side].filter((name) => !row[side].includes(name));
    const more = h("select", { class: "ld-more", "aria-label": say(`draft_more_${side}`) }, h("option", { value: "" }, "+"), free.map((name) => h("option", { value: name }, name)));
    more.addEventListener("change", () => more.value && this.edit(() => row[side].push(more.value)));
    return h("span", { class: "ld-names" },
      row[side].map((name) => h("span", { class: this.names[side].includes(name) ? "ld-chip" : "ld-chip ld-bad" }, name,
        h("button", { type: "button", "aria-label": `${say("draft_remove")} ${name}`, onclick: () => this.edit(() => row[side].splice(row[side].indexOf(name), 1)) }, "×"))),
      free.length ? more : null);
  }

  /** An edit is a person's: it is to be confirmed anew. */
  edit(change) {
    change();
    for (const row of this.rows) row.why = "";
    this.isConfirmed = false;
    this.draw();
    this.tell();
  }
}

/** What the draft would mean for what was decided. */
export function showImpact(root, found, say) {
  fill(root, h("p", {}, found.said),
    h("div", { class: "ld-tiles" }, found.tiles.map((each) => h("div", { data: { fate: each.fate } }, h("b", {}, each.count), h("span", {}, each.word)))),
    found.notes.map((each) => h("p", { class: "ld-mute" }, each)),
    found.rows.length > 0 && h("details", { id: "draft-examples" }, h("summary", {}, say("examples", { count: found.rows.length })),
      h("div", { class: "ld-examples" }, found.rows.map((each) => h("div", { class: "ld-example" },
        h("a", { href: each.href, target: "_blank" }, each.text), pill(each.fate, each.tone), each.steps.map((step) => h("div", { class: "ld-mute" }, step)))))));
}

function copyOf(changes) {
  return changes.map((each) => ({ ...each, before: [...each.before], after: [...each.after] }));
}

function namesOf({ experts }) {
  return Array.isArray(experts) ? experts.map((each) => String(each?.name ?? "").trim()).filter(Boolean) : [];
}
