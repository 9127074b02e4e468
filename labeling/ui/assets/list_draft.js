/** The draft of an expert list: chosen, edited, saved by number, weighed, published. */

import { speaker } from "./desk.js";
import { fill, h, pill } from "./dom.js";
import { ListChanges, showImpact } from "./list_said.js";
import { ListForm } from "./list_form.js";
import { Wire } from "./wire.js";

const LOOK_MS = 1_000;

class ListDraftPage {
  constructor({ element, props, trigger, watch }) {
    this.root = element.querySelector(".ld-page");
    this.say = speaker(props.words);
    this.kinds = props.kinds;
    this.wire = new Wire({ trigger, watch, props });
    this.form = new ListForm({ say: this.say, changed: () => this.changed() });
    this.changes = new ListChanges({ say: this.say, kinds: this.kinds, changed: () => this.changed() });
    addEventListener("beforeunload", (event) => this.isDirty && event.preventDefault());
    this.root.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== "s") return;
      event.preventDefault();
      this.save();
    });
  }

  /** The answer to a question; null where it failed, after telling why. */
  async ask(name, message) {
    const answer = await this.wire.ask(name, message).catch(() => ({ failed: true, notice: { kind: "error", text: this.say("draft_no_answer") } }));
    if (answer.notice?.text) window.planwright.notify(answer.notice.kind, answer.notice.text);
    return answer.failed || answer.notice ? null : answer;
  }

  async begin() {
    const answer = await this.ask("lists", {});
    if (!answer) return;
    const { say } = this;
    const name = h("input", { list: "ld-names", id: "draft-name", "aria-label": say("draft_name"), placeholder: say("draft_name"), autocomplete: "off" });
    const open = async () => name.value.trim() && this.open(await this.ask("open", { name: name.value }));
    name.addEventListener("keydown", (event) => event.key === "Enter" && open());
    this.draft = null;
    fill(this.root,
      h("div", { class: "ld-card ld-start" },
        h("h3", {}, say("draft_title")),
        h("p", { class: "ld-mute" }, say("draft_about")),
        answer.is_admin && h("div", { class: "ld-line" }, name,
          h("datalist", { id: "ld-names" }, answer.lists.map((each) => h("option", { value: each }))),
          h("button", { type: "button", id: "draft-open", class: "ld-primary", onclick: open }, say("draft_open"))),
        answer.drafts.map((each) => h("button", { type: "button", class: "ld-pick", onclick: async () => this.open(await this.ask("look", { draft_id: each.id })) },
          h("b", {}, each.name), " ", each.base && pill(each.base),
          h("span", { class: "ld-mute" }, say("draft_saved", { by: each.saved_by, at: window.planwright.local(`⟨${each.saved_at}⟩`) })))),
        !answer.drafts.length && h("p", { class: "ld-mute" }, say("no_drafts"))));
    if (answer.lists.length) name.value = answer.lists[0];
  }

  open(answer) {
    if (!answer?.draft) return;
    this.isDirty = false;
    this.typed = null;
    this.layOut();
    this.take(answer.draft, { isNew: true });
  }

  layOut() {
    const { say } = this;
    const act = (id, words, run, className = "") => h("button", { type: "button", id, class: className, onclick: run }, say(words));
    this.state = h("span", { class: "ld-mute", role: "status", id: "draft-state" });
    this.banner = h("div", {});
    this.problems = h("div", { class: "ld-problems", id: "draft-problems" });
    this.impact = h("div", { id: "draft-impact" });
    this.note = h("textarea", { rows: 2, id: "draft-note", placeholder: say("note"), "aria-label": say("note") });
    this.title = h("h2", {});
    fill(this.root,
      h("div", { class: "ld-top" }, this.title, this.state, h("span", { class: "ld-space" }),
        act("draft-json", "draft_json", () => this.form.toggle()), act("draft-back", "draft_back", () => this.leave()),
        act("draft-drop", "draft_drop", () => this.drop()), act("draft-save", "draft_save", () => this.save(), "ld-primary")),
      this.banner,
      h("div", { class: "ld-two" }, this.form.root,
        h("div", { class: "ld-side" }, this.problems,
          h("div", { class: "ld-card" }, this.changes.root,
            h("div", { class: "ld-line" }, act("draft-propose", "draft_propose", () => this.propose()), act("draft-confirm", "draft_confirm", () => this.confirm(), "ld-primary"))),
          h("div", { class: "ld-card" }, h("h3", {}, say("draft_weigh_title")), h("p", { class: "ld-mute" }, say("draft_weigh_about")),
            act("draft-weigh", "ask_impact", () => this.weigh()), this.impact),
          h("div", { class: "ld-card" }, h("h3", {}, say("draft_publish_title")), this.note, act("draft-publish", "draft_publish", () => this.publish(), "ld-primary")))));
  }

  /** Show a draft as the server has it; what is being typed stays unless it is new here. */
  take(draft, { isNew = false } = {}) {
    this.draft = draft;
    this.title.textContent = draft.name;
    if (isNew) this.form.show(draft.content);
    if (isNew || !this.isDirty) this.changes.show(draft);
    fill(this.problems, draft.problems.map((each) => h("p", {}, this.form.placeOf(each.path), each.sentence)));
    this.problems.hidden = !draft.problems.length;
    fill(this.banner, draft.newest && h("div", { class: "ld-banner" }, this.say("draft_outdated", { reference: draft.newest }), " ",
      h("button", { type: "button", id: "draft-rebase", onclick: () => this.rebase() }, this.say("draft_rebase"))));
    this.tell();
  }

  tell() {
    const { draft, say } = this;
    const base = draft.base ? say("draft_base", { reference: draft.base }) : say("draft_new");
    fill(this.state, base, " · ", this.isDirty ? pill(say("draft_dirty"), "warn") : window.planwright.local(draft.saved));
  }

  changed() {
    this.isDirty = true;
    this.changes.setNames(this.draft.base_names, this.form.names());
    this.tell();
  }

  /** Save what is typed; whether it is saved. `over` saves over what somebody else has saved. */
  async save({ over = null } = {}) {
    const content = this.form.content();
    if (!content) return Boolean(window.planwright.notify("error", this.say("draft_bad_json")));
    const message = { draft_id: this.draft.id, number: over ?? this.draft.number, content, changes: this.changes.confirmed() };
    const answer = await this.ask("save", message);
    if (!answer) return false;
    if (answer.conflict) {
      this.conflict(answer);
      return false;
    }
    const isStill = JSON.stringify(this.form.content()) === JSON.stringify(content);
    this.isDirty = !isStill;
    this.take(answer.draft);
    return true;
  }

  conflict({ conflict, draft }) {
    const { say } = this;
    const mine = JSON.stringify(this.form.content(), null, 2);
    fill(this.banner, h("div", { class: "ld-banner ld-bad", role: "alert", id: "draft-conflict" }, h("p", {}, window.planwright.local(conflict)),
      h("div", { class: "ld-line" },
        h("button", { type: "button", id: "draft-theirs", onclick: () => {
          this.open({ draft });
          fill(this.banner, h("details", { class: "ld-banner", id: "draft-mine" }, h("summary", {}, say("draft_mine")), h("pre", {}, mine)));
        } }, say("draft_load_theirs")),
        h("button", { type: "button", id: "draft-over", onclick: () => this.save({ over: draft.number }) }, say("draft_keep_mine")))));
  }

  propose() {
    this.changes.propose(this.draft);
    this.changed();
  }

  async confirm() {
    this.changes.confirm();
    await this.save();
  }

  async rebase() {
    if (this.isDirty && !(await this.save())) return;
    const answer = await this.ask("rebase", { draft_id: this.draft.id });
    if (answer) this.take(answer.draft, { isNew: true });
  }

  async drop() {
    if (!confirm(this.say("draft_drop_sure"))) return;
    if (await this.ask("drop", { draft_id: this.draft.id })) this.leave();
  }

  leave() {
    if (this.isDirty && !confirm(this.say("draft_leave_sure"))) return;
    this.isDirty = false;
    this.begin();
  }

  async weigh() {
    if (this.isDirty && !(await this.save())) return;
    let answer = await this.ask("weigh", { draft_id: this.draft.id });
    while (answer?.state === "running") {
      fill(this.impact, h("p", { class: "ld-mute" }, answer.said));
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      answer = await this.ask("work", { work_id: answer.work_id });
    }
    if (answer?.impact) showImpact(this.impact, answer.impact, this.say);
  }

  async publish() {
    if (this.isDirty && !(await this.save())) return;
    const answer = await this.ask("publish", { draft_id: this.draft.id, number: this.draft.number, note: this.note.value });
    if (!answer) return;
    this.isDirty = false;
    window.planwright.notify("done", answer.published);
    this.begin();
  }
}

export function mount(options) {
  new ListDraftPage(options).begin();
}
