/** The playground: a question to one planner or to two side by side, and their answers as a desk draws them. */

import { speaker } from "./desk.js";
import { huesOf } from "./dialogue.js";
import { fill, formOf, grow, h, pill } from "./dom.js";
import { ReplyCard } from "./playground_reply.js";
import { Wire } from "./wire.js";

const LOOK_EVERY_MS = 700;
const LOOK_SELDOM_MS = 10_000;
const KEPT = "planwright.playground";

/** Called once by the component of the page. */
export function mount(component) {
  return new Playground(component);
}

class Playground {
  constructor({ element, props, trigger, watch }) {
    this.root = element.querySelector(".pw-desk");
    this.say = speaker(props.words);
    this.language = props.language;
    this.wire = new Wire({ trigger, watch, props });
    this.turns = [];
    this.cards = [];
    this.#lay();
    this.#open();
  }

  #lay() {
    const { say } = this;
    this.about = h("span", { class: "right" });
    this.history = h("div", { class: "play-turns" });
    this.text = h("textarea", {
      class: "field play-query", id: "play-query", rows: 2, placeholder: say("play.query"), "aria-label": say("play.query"),
      oninput: () => (grow(this.text), this.#follow()),
    });
    this.one = this.#choice("play-planner", say("play.planner"));
    this.other = this.#choice("play-beside", say("play.beside"));
    this.tokens = h("input", { class: "field play-tokens", id: "play-tokens", type: "number", min: 1, max: 32768, value: "2048" });
    this.button = h("button", { type: "submit", class: "action primary", id: "play-ask" }, say("play.ask"), h("kbd", {}, "Ctrl+Enter"));
    this.nobody = h("p", { class: "faint", hidden: true }, say("play.none"));
    const turn = h("button", { type: "button", class: "quiet", id: "play-add-turn", onclick: () => this.#addTurn() }, say("play.add_turn"));
    const form = formOf(
      { class: "card play-form" },
      h("div", { class: "card-head" }, h("h3", {}, say("play.title")), turn, this.about),
      this.history,
      this.text,
      h(
        "div",
        { class: "play-order" },
        this.one.label,
        this.other.label,
        h("label", { class: "play-choice" }, h("span", {}, say("play.tokens")), this.tokens),
        this.button,
      ),
      this.nobody,
    );
    form.addEventListener("submit", () => this.#ask());
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
      event.preventDefault();
      this.#ask();
    });
    this.answers = h("div", { class: "play-answers" });
    this.recent = h("details", { class: "card play-recent", hidden: true });
    fill(this.root, form, this.answers, this.recent);
  }

  #choice(id, words) {
    const select = h("select", { class: "field", id, onchange: () => this.#follow() });
    return { select, label: h("label", { class: "play-choice" }, h("span", {}, words), select) };
  }

  async #open() {
    const answer = await this.#attempt("open");
    this.root.classList.remove("is-loading");
    if (!answer) return;
    this.#know(answer);
    this.#recall();
    this.#follow();
    this.timer = setInterval(() => document.hidden || this.#lookAtPlanners(), 5000);
  }

  async #lookAtPlanners() {
    if (this.looking) return;
    const answer = await this.#attempt("open");
    if (answer) this.#know(answer);
    this.#follow();
  }

  #know({ planners, list, prompt, experts, recent }) {
    const { say } = this;
    this.hues = huesOf(experts);
    this.experts = experts.experts.map((each) => ({ ...each, aliases: each.aliases ?? [] }));
    fill(this.about, list && say("play.list", { list, prompt }));
    this.nobody.hidden = planners.some((each) => each.is_ready);
    this.planners = planners;
    this.#offer(this.one.select, planners, null);
    this.#offer(this.other.select, planners, say("play.nobody"));
    this.#showRecent(recent);
  }

  #offer(select, planners, nobody) {
    const before = select.value;
    const options = planners.map((each) => h("option", { value: each.id, disabled: !each.is_ready }, this.#nameOf(each)));
    const drawn = options.map((each) => `${each.value} ${each.textContent} ${each.disabled}`).join("\n");
    if (select.dataset.drawn === drawn) return;
    select.dataset.drawn = drawn;
    fill(select, nobody !== null && h("option", { value: "" }, nobody), options);
    if (planners.some((each) => each.id === before && each.is_ready)) select.value = before;
    else if (nobody === null) select.value = (planners.find((each) => each.is_ready) ?? { id: "" }).id;
    else select.value = "";
  }

  #nameOf({ name, is_ready, is_promoted }) {
    if (!is_ready) return this.say("play.not_served", { planner: name });
    return is_promoted ? this.say("play.promoted", { planner: name }) : name;
  }

  #addTurn(content = "", answer = "") {
    this.turns.push(["user", content], ["assistant", answer]);
    this.#showTurns();
    this.history.querySelectorAll("textarea")[this.turns.length - 2]?.focus();
  }

  #showTurns() {
    const { say } = this;
    const rows = this.turns.map(([role, content], at) => {
      const words = say(`play.${role}`);
      const field = h("textarea", {
        class: "field", rows: 1, value: content, "aria-label": say("play.turn_of", { number: Math.floor(at / 2) + 1, role: words }),
        oninput: () => {
          this.turns[at][1] = field.value;
          grow(field);
        },
      });
      const drop = role === "user"
        ? h("button", { type: "button", class: "quiet", title: say("play.drop_turn"), "aria-label": say("play.drop_turn"), onclick: () => this.#dropTurn(at) }, "✕")
        : null;
      return h("div", { class: "play-turn" }, h("span", {}, words), field, drop);
    });
    fill(this.history, rows);
  }

  #dropTurn(at) {
    const isAnswered = this.turns[at + 1]?.[0] === "assistant";
    this.turns.splice(at, isAnswered ? 2 : 1);
    this.#showTurns();
  }

  #follow() {
    this.button.disabled = !this.text.value.trim() || !this.one.select.value || Boolean(this.looking);
  }

  async #ask() {
    if (this.button.disabled) return;
    const planners = [...new Set([this.one.select.value, this.other.select.value].filter(Boolean))];
    const history = this.turns.filter(([, content]) => content.trim()).map(([role, content]) => ({ role, content }));
    const message = { planners, text: this.text.value, history, max_tokens: Number(this.tokens.value) || 2048 };
    sessionStorage.setItem(KEPT, JSON.stringify({ text: this.text.value, turns: this.turns }));
    this.looking = true;
    this.#follow();
    const answer = await this.#attempt("ask", message);
    if (answer) this.#show(answer.replies);
    await this.#lookUntilDone();
  }

  #show(replies) {
    const isSame = replies.map(({ id }) => id).join() === this.cards.map(({ id }) => id).join();
    if (!isSame) {
      for (const each of this.cards) each.close();
      const { say, language, hues, experts } = this;
      this.cards = replies.map((reply, at) => new ReplyCard(reply.id, { at, say, language, hues, experts, send: (id) => this.#send(id) }));
      fill(this.answers, this.cards.map(({ node }) => node));
      this.answers.classList.toggle("is-pair", replies.length > 1);
    }
    replies.forEach((reply, at) => this.cards[at].show(reply));
    this.replies = replies;
  }

  async #lookUntilDone() {
    this.looking = true;
    let pause = LOOK_EVERY_MS;
    while (this.replies?.some(({ state }) => state === "asking")) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      const ids = this.replies.map(({ id }) => id);
      const answer = await this.#attempt("look", { ids });
      pause = answer ? LOOK_EVERY_MS : Math.min(2 * pause, LOOK_SELDOM_MS);
      const isShown = ids.join() === this.replies.map(({ id }) => id).join();
      if (answer && isShown) this.#show(answer.replies);
    }
    this.looking = false;
    this.#lookAtPlanners();
  }

  async #send(id) {
    const answer = await this.#attempt("send", { id });
    if (!answer) return;
    window.planwright.notify("done", this.say("play.sent_told"));
    this.#show(this.replies.map((each) => (each.id === id ? answer.reply : each)));
  }

  #showRecent(recent) {
    const drawn = JSON.stringify(recent.map(({ id, state, query_id }) => [id, state, query_id]));
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.recent.hidden = !recent.length;
    const rows = recent.map((each) =>
      h(
        "button",
        { type: "button", class: "play-past", title: this.say("play.again"), onclick: () => this.#again(each) },
        h("span", {}, each.text),
        h("span", { class: "faint" }, each.planner),
        each.problem && pill(each.problem, each.tone),
      ),
    );
    fill(this.recent, h("summary", {}, `${this.say("play.recent")} (${recent.length})`), rows);
  }

  async #again({ id }) {
    const answer = await this.#attempt("look", { ids: [id] });
    if (!answer) return;
    const [reply] = answer.replies;
    this.text.value = reply.text;
    grow(this.text);
    this.turns = reply.history.map(([role, content]) => [role, content]);
    this.#showTurns();
    this.#show(answer.replies);
    this.#follow();
    this.root.scrollIntoView({ block: "start" });
    if (!this.looking) await this.#lookUntilDone();
  }

  #recall() {
    try {
      const { text, turns } = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
      this.text.value = text ?? "";
      this.turns = turns ?? [];
      this.#showTurns();
    } catch {
      sessionStorage.removeItem(KEPT);
    }
  }

  async #attempt(name, message = {}) {
    try {
      const answer = await this.wire.ask(name, message);
      if (answer.notice) window.planwright.notify(answer.notice.kind, answer.notice.text);
      return answer.failed ? null : answer;
    } catch {
      return null;
    }
  }
}
