/** The live part of the training page: keeps what it was told of each run, asks for no more, draws it. */
import { fill, h } from "./dom.js";
import { makeChart, short } from "./run_charts.js";

const SMOOTH = "planwright_smooth";
const LOG_LINES = 120;
const LOG_CHARACTERS = 60000;
const STAGES = ["grpo", "kto", "dpo", "sft"];

export function mount({ element, props, again: askAgain, watch }) {
  const words = props.words, place = element.querySelector(".pw-run");
  const runs = new Map(), cards = new Map();
  let chains = [], log = { run: "", next: 0, text: "" }, logCard = null, asked = 0;
  let smooth = localStorage.getItem(SMOOTH) !== "off";

  /** What was missed is asked for again, at most every second. */
  function again() {
    if (Date.now() - asked < 1000) return;
    asked = Date.now();
    askAgain();
  }

  function take(news) {
    if (!news || !news.chains) return;
    chains = news.chains;
    for (const part of news.parts) if (!keep(part)) return again();
    const wanted = new Set(chains.flatMap((chain) => STAGES.flatMap((stage) => chain[stage])));
    for (const id of runs.keys()) if (!wanted.has(id)) runs.delete(id);
    if (Object.entries(news.have).some(([id, count]) => (runs.get(id)?.steps.length || 0) !== count)) return again();
    draw();
    takeLog(news.log);
  }

  function keep({ run: id, first, every, steps, values, last }) {
    if (first === 0) runs.set(id, { steps: [], values: {}, last: {}, every });
    const run = runs.get(id);
    if (!run || run.steps.length !== first) return false;
    run.steps.push(...steps);
    run.last = last;
    run.every = every;
    for (const [name, column] of Object.entries(values)) {
      const known = (run.values[name] ||= []);
      while (known.length < first) known.push(null);
      known.push(...column);
    }
    return true;
  }

  /** The values of a metric over all attempts of a stage; what an attempt did again replaces what was before. */
  function series(chain, stage, metric) {
    const xs = [], ys = [];
    for (const id of chain[stage]) {
      const run = runs.get(id), column = run && run.values[metric];
      if (!column) continue;
      while (xs.length && xs.at(-1) >= run.steps[0]) {
        xs.pop();
        ys.pop();
      }
      column.forEach((value, at) => {
        if (value === null) return;
        xs.push(run.steps[at]);
        ys.push(value);
      });
    }
    return { xs, ys };
  }

  function linesOf(spec, stage) {
    if (chains.length > 1) {
      const { metric, scale } = spec.lines.find((line) => line.thick) || spec.lines[0];
      return chains.map((chain, tone) => {
        const one = series(chain, stage, metric);
        return { key: chain.id, label: chain.label, tone, scale: scale ? chain.weight : 1, ...one };
      });
    }
    return spec.lines
      .map((line) => ({ ...line, key: line.metric, scale: line.scale ? chains[0].weight : 1, ...series(chains[0], stage, line.metric) }))
      .filter((line) => line.xs.length);
  }

  function card(stage) {
    if (cards.has(stage)) return cards.get(stage);
    const charts = props.charts[stage].map((spec) => [spec, makeChart(spec, words)]);
    const tall = charts.filter(([spec]) => spec.tall), rest = charts.filter(([spec]) => !spec.tall);
    const toggle = h("button", { type: "button", class: "pw-smooth", "aria-pressed": String(smooth), onclick: () => {
      smooth = !smooth;
      localStorage.setItem(SMOOTH, smooth ? "on" : "off");
      for (const each of place.querySelectorAll(".pw-smooth")) each.setAttribute("aria-pressed", String(smooth));
      draw();
    } }, words.smooth);
    const note = h("span", { class: "pw-mute" }), more = h("details", {}, h("summary", {}), h("div", {}));
    const root = h("div", { class: "pw-card", data: { stage } },
      h("h3", {}, stage.toUpperCase(), h("span", { class: "pw-card-right" }, note, toggle)),
      tall.map(([, chart]) => chart.root), h("div", { class: "pw-charts" }, rest.map(([, chart]) => chart.root)), more);
    cards.set(stage, { root, charts, note, more });
    place.append(root);
    if (logCard) place.append(logCard.root);
    return cards.get(stage);
  }

  function draw() {
    for (const stage of STAGES) {
      const has = chains.some((chain) => chain[stage].some((id) => runs.get(id)?.steps.length));
      if (!has && !cards.has(stage)) continue;
      const { root, charts, note, more } = card(stage);
      root.hidden = !has;
      if (!has) continue;
      for (const [spec, chart] of charts) {
        chart.root.classList.toggle("pw-beside", chains.length > 1);
        const compared = chains.length > 1 && spec.lines.find((line) => line.thick);
        chart.update(linesOf(spec, stage), smooth, compared ? `· ${compared.label}` : spec.unit);
      }
      const own = runs.get(chains[0][stage].at(-1));
      note.textContent = own && own.every > 1 ? words.every.replace("{every}", own.every) : "";
      const rest = Object.entries((own && own.last) || {});
      more.hidden = rest.length === 0;
      more.firstChild.textContent = words.other_figures.replace("{count}", rest.length);
      fill(more.lastChild, h("dl", { class: "pw-facts" }, rest.map(([name, value]) => [h("dt", {}, name), h("dd", {}, short(value))])));
    }
    // Moved only where the order is wrong: a node that moves loses the focus.
    const wanted = STAGES.filter((stage) => cards.has(stage)).map((stage) => cards.get(stage).root);
    if (wanted.some((root, at) => place.children[at] !== root)) place.prepend(...wanted);
  }

  function takeLog(news) {
    if (!news) return;
    if (news.first !== 0 && (news.run !== log.run || news.first !== log.next)) return again();
    const text = (news.first === 0 ? "" : log.text) + news.text;
    log = { run: news.run, next: news.next, text: text.slice(-LOG_CHARACTERS) };
    if (!logCard) {
      const body = h("pre", {}), summary = h("summary", {}, words.log);
      logCard = { root: h("div", { class: "pw-card" }, h("details", { id: "training-log", open: true }, summary, body)), body };
      body.parentNode.addEventListener("toggle", () => (body.scrollTop = body.scrollHeight));
      place.append(logCard.root);
    }
    const { body } = logCard, isAtEnd = body.scrollHeight - body.scrollTop - body.clientHeight < 30;
    const lines = log.text.split("\n").map((line) => line.slice(line.lastIndexOf("\r", line.length - 2) + 1).trimEnd());
    body.textContent = lines.filter(Boolean).slice(-LOG_LINES).join("\n");
    if (isAtEnd) body.scrollTop = body.scrollHeight;
  }

  watch("value", () => take(props.value));
  take(props.value);
}
