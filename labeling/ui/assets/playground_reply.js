/** One answer of a planner: its thinking, its plan, what is wrong with it, and the text as it came. */

import { fill, h, pill } from "./dom.js";
import { isPlanShaped, readable } from "./plan.js";
import { StageGraph } from "./plan_graph.js";
import { TraceViewer } from "./trace_viewer.js";

const NO_KEYS = { show: () => null };

export class ReplyCard {
  constructor(id, { at, say, language, hues, experts, send }) {
    Object.assign(this, { id, say, language, hues, experts, send });
    this.head = h("div", { class: "card-head" });
    this.body = h("div", { class: "play-body" });
    this.node = h("section", { class: "card play-answer", "aria-live": "polite", data: { reply: id } }, this.head, this.body);
    this.at = at;
    this.begun = Date.now();
    this.clock = setInterval(() => this.#tick(), 1000);
  }

  close() {
    clearInterval(this.clock);
  }

  show(reply) {
    const state = JSON.stringify([reply.state, reply.query_id]);
    if (state === this.state) return;
    this.state = state;
    this.reply = reply;
    this.node.setAttribute("aria-label", reply.planner);
    if (reply.state === "asking") return this.#showWaiting();
    this.close();
    return reply.state === "failed" ? this.#showFailure() : this.#showAnswer();
  }

  #showWaiting() {
    this.waits = h("span", { class: "right" });
    fill(this.head, h("h3", { class: "play-name" }, this.reply.planner), this.waits);
    fill(this.body, h("p", { class: "faint play-waiting" }, this.say("play.asking")));
    this.#tick();
  }

  #tick() {
    if (this.waits) this.waits.textContent = this.say("play.waits", { seconds: Math.round((Date.now() - this.begun) / 1000) });
  }

  #showFailure() {
    const { reply, say } = this;
    fill(this.head, h("h3", { class: "play-name" }, reply.planner), pill(say("play.failed"), "bad"));
    fill(this.body, h("p", { class: "problem" }, reply.sentence ?? ""));
  }

  #showAnswer() {
    const { reply, say } = this;
    const seconds = reply.seconds === null ? null : say("play.seconds", { seconds: reply.seconds.toFixed(1) });
    fill(
      this.head,
      h("h3", { class: "play-name" }, reply.planner),
      reply.is_strict ? pill(say("play.strict"), "ok") : pill(say("play.not_strict"), "warn"),
      reply.is_repaired && pill(say("play.repaired"), "warn"),
      reply.is_cut_off && pill(say("play.cut_off"), "bad"),
      reply.plan && !reply.problems.length && pill(say("play.valid"), "ok"),
      reply.problems.length > 0 && pill(say("play.problems", { number: reply.problems.length }), "bad"),
      h("span", { class: "right", title: say("play.under", { list: reply.expert_list, prompt: reply.prompt }) }, seconds),
    );
    fill(this.body, this.#trace(), this.#plan(), this.#raw(), this.#foot());
    this.#fillTrace();
  }

  #trace() {
    this.place = h("div", { class: "play-trace part-trace" });
    return this.place;
  }

  #fillTrace() {
    const { reply, say, hues, experts } = this;
    const planned = new Set(readable(reply.plan ?? {}).steps.map(({ expert }) => expert));
    const viewer = new TraceViewer(this.place, { say, keys: NO_KEYS });
    // Two of them stand on one page; an id is there once.
    for (const node of this.place.querySelectorAll("[id]")) node.id += `-${this.at}`;
    viewer.body.setAttribute("aria-describedby", `trace-hint-${this.at}`);
    viewer.open({
      trace: reply.thinking, length: reply.think_length, think: { min: reply.think_min, max: reply.think_max },
      experts, planned, hues, banned: reply.banned ?? [], absent: say("play.thought_nothing"),
    });
    viewer.setPlanExperts(planned);
  }

  #plan() {
    const { reply, say, hues } = this;
    const problems = reply.problems.length > 0 && h("ul", { class: "play-problems", "aria-label": say("play.problem_list") }, reply.problems.map(({ sentence }) => h("li", { class: "problem" }, sentence)));
    if (!reply.plan || !isPlanShaped(reply.plan)) return h("div", { class: "play-plan" }, h("h4", {}, say("play.plan")), h("p", { class: "faint" }, say("play.no_plan")), problems);
    const plan = readable(reply.plan);
    const cards = plan.steps.map((step, index) => this.#step(step, index));
    const graph = new StageGraph({ say, go: (index) => cards[index].scrollIntoView({ block: "nearest" }) });
    graph.draw(plan, hues);
    graph.mark(new Set(reply.problems.map(({ path }) => Number(/steps\[(\d+)\]/.exec(path)?.[1] ?? -1))));
    return h(
      "div",
      { class: "play-plan" },
      h("h4", {}, say("play.rewritten")),
      h("p", { class: "play-rewritten" }, plan.rewritten_query || "–"),
      graph.root,
      cards.length ? cards : h("p", { class: "faint" }, say("play.no_steps")),
      problems,
    );
  }

  #step(step) {
    const rows = step.sub_questions.map((text, at) => h("li", {}, h("span", { class: "number" }, at + 1), h("span", {}, text)));
    const card = h(
      "div",
      { class: "side step" },
      h("div", { class: "step-head" }, h("span", { class: "order" }, step.order), h("b", {}, step.expert || "–")),
      h("ol", { class: "subs" }, rows),
    );
    card.style.setProperty("--hue", this.hues.get(step.expert) ?? "var(--pw-bad)");
    return card;
  }

  #raw() {
    return h("details", { class: "play-raw" }, h("summary", {}, this.say("play.raw")), h("pre", { tabindex: 0 }, this.reply.completion));
  }

  #foot() {
    const { reply, say } = this;
    const act = reply.query_id
      ? h("a", { class: "action", href: `/${this.language}/queries?query=${encodeURIComponent(reply.query_id)}` }, say("play.sent"))
      : h("button", { type: "button", class: "action play-send", onclick: () => this.send(reply.id) }, say("play.send"));
    return h("div", { class: "play-foot" }, act);
  }
}
