/** One chart of a training: lines over steps, a legend that switches them off, exact values by pointer and by key. */
import { h } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 1000;
const TALL = 200;
const SMOOTHNESS = 0.9;

/**
 * Make a chart. `spec` is {id, title, unit, tall}; a line is {key, label, tone, thick, scale, xs, ys}, drawn as
 * `ys / scale` and told as it is. `update(lines, smooth)` draws anew; nothing is kept of what was drawn before.
 */
export function makeChart(spec, words) {
  const hidden = new Set();
  const legend = h("div", { class: "pw-legend" });
  const value = h("b", {}), small = h("small", {});
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDE} ${TALL}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const ticks = h("div", { class: "pw-ticks", "aria-hidden": "true" });
  const plot = h("div", { class: "pw-plot-area", role: "slider", tabindex: 0, "aria-label": spec.title }, ticks, svg);
  const foot = h("div", { class: "pw-chart-foot" });
  const head = h("h4", {}, h("span", {}, spec.title, small), value);
  const root = h("div", { class: `pw-chart pw-curve ${spec.tall ? "pw-tall" : ""}`, data: { chart: spec.id } }, head, legend, plot, foot);
  const cursor = shape("line", { class: "pw-cursor", y1: 0, y2: TALL });
  let lines = [], smooth = false, at = null, range = [0, 1];

  // The thick line lies over the others.
  const seen = () => lines.filter((line) => !hidden.has(line.key)).sort((a, b) => Boolean(a.thick) - Boolean(b.thick));
  const guide = () => lines.reduce((longest, line) => (line.xs.length > longest.length ? line.xs : longest), []);

  function draw() {
    const shown = seen(), xs = guide();
    range = [xs[0] ?? 0, xs.at(-1) ?? 1];
    const [low, high, marks] = scaleOf(shown, spec.tall ? 5 : 3);
    const x = (step) => (range[1] > range[0] ? (WIDE * (step - range[0])) / (range[1] - range[0]) : WIDE / 2);
    const y = (number) => TALL - (TALL * (number - low)) / (high - low);
    svg.replaceChildren();
    ticks.replaceChildren();
    for (const mark of marks) {
      svg.append(shape("line", { class: "pw-grid", x1: 0, x2: WIDE, y1: y(mark), y2: y(mark) }));
      ticks.append(h("span", { style: `top: ${(100 * y(mark)) / TALL}%` }, short(mark)));
    }
    for (const line of shown) {
      const raw = line.ys.map((number) => number / (line.scale || 1));
      const marksOf = (numbers, cls) => svg.append(shape("path", { class: `pw-curve-line pw-l${line.tone} ${cls}`, d: pathOf(line.xs, numbers, x, y) }));
      if (smooth && raw.length > 2) {
        marksOf(raw, "pw-raw");
        marksOf(smoothed(raw), line.thick ? "pw-thick" : "");
      } else marksOf(raw, line.thick ? "pw-thick" : "");
    }
    svg.append(cursor);
    const middle = xs[Math.floor(xs.length / 2)];
    const ends = xs.length > 2 ? [range[0], middle, range[1]] : [...new Set(xs)];
    foot.replaceChildren(...ends.map((step, place) => h("span", {}, place ? `${step}` : `${words.step} ${step}`)));
    plot.setAttribute("aria-valuemin", range[0]);
    plot.setAttribute("aria-valuemax", range[1]);
    tell();
  }

  function tell() {
    const xs = guide(), step = at === null ? xs.at(-1) : xs[nearest(xs, at)];
    const told = lines.map((line) => [line, at === null ? line.ys.at(-1) ?? null : valueAt(line, step)]);
    const exact = (number) => (number === null ? "–" : at === null ? short(number) : String(number));
    const is = at !== null && xs.length;
    cursor.setAttribute("visibility", is ? "visible" : "hidden");
    const place = range[1] > range[0] ? (WIDE * (step - range[0])) / (range[1] - range[0]) : WIDE / 2;
    if (is) for (const name of ["x1", "x2"]) cursor.setAttribute(name, place);
    const only = lines.length === 1;
    value.textContent = only ? exact(told[0][1]) : is ? `${words.step} ${step}` : "";
    if (only && is) value.textContent += ` · ${words.step} ${step}`;
    legend.hidden = only;
    for (const [line, number] of told) {
      const key = keyOf(line);
      key.lastChild.textContent = exact(number);
      key.setAttribute("aria-pressed", String(!hidden.has(line.key)));
    }
    const open = told.filter(([line]) => !hidden.has(line.key));
    const text = only ? String(told[0][1] ?? "–") : open.map(([line, number]) => `${line.label} ${number ?? "–"}`).join(", ");
    if (step !== undefined) {
      plot.setAttribute("aria-valuenow", step);
      plot.setAttribute("aria-valuetext", `${step}: ${text}`);
    }
  }

  const keys = new Map();
  function keyOf(line) {
    if (!keys.has(line.key)) {
      const toggle = () => {
        if (!hidden.delete(line.key)) hidden.add(line.key);
        draw();
      };
      keys.set(line.key, h("button", { type: "button", class: `pw-line-key pw-l${line.tone}`, title: line.label, "aria-label": line.label, data: { line: line.key }, onclick: toggle }, h("i", {}), h("span", {}, line.label), h("em", {})));
    }
    return keys.get(line.key);
  }

  const move = (to) => {
    at = to;
    tell();
  };
  plot.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    move(range[0] + ((event.clientX - box.left) / box.width) * (range[1] - range[0]));
  });
  plot.addEventListener("pointerleave", () => move(null));
  plot.addEventListener("blur", () => move(null));
  plot.addEventListener("keydown", (event) => {
    const xs = guide();
    if (!xs.length) return;
    const here = at === null ? xs.length - 1 : nearest(xs, at);
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, PageDown: here - 10, PageUp: here + 10, Home: 0, End: xs.length - 1 }[event.key];
    if (event.key === "Escape") move(null);
    if (to === undefined) return;
    event.preventDefault();
    move(xs[Math.max(0, Math.min(xs.length - 1, to))]);
  });

  return {
    root,
    /** `note` stands beside the title: the unit, or which of several lines is compared. */
    update(given, isSmooth, note = spec.unit) {
      small.textContent = note ? ` ${note}` : "";
      lines = given;
      smooth = isSmooth;
      root.hidden = !lines.some((line) => line.xs.length);
      const wanted = lines.map(keyOf);
      if (wanted.length !== legend.children.length || wanted.some((key, place) => legend.children[place] !== key)) legend.replaceChildren(...wanted);
      draw();
    },
  };
}

function shape(kind, attributes) {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Four significant digits, and no more zeros than there are; what is very small as 1.5e-6. */
export function short(number) {
  if (number === null || number === undefined) return "–";
  const small = number !== 0 && Math.abs(number) < 0.001;
  return small ? number.toExponential(2).replace(/\.?0+e/, "e") : String(Number(number.toPrecision(4)));
}

/** The place in `xs` (sorted) that is nearest to a step. */
function nearest(xs, step) {
  let low = 0, high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] < step) low = middle;
    else high = middle;
  }
  return Math.abs(xs[low] - step) <= Math.abs(xs[high] - step) ? low : high;
}

function valueAt(line, step) {
  if (!line.xs.length || step === undefined) return null;
  const place = nearest(line.xs, step);
  return line.xs[place] === step ? line.ys[place] : null;
}

function pathOf(xs, numbers, x, y) {
  if (xs.length === 1) return `M ${x(xs[0]) - 4} ${y(numbers[0])} h 8`;
  let path = "";
  for (let place = 0; place < xs.length; place++)
    path += `${place ? "L" : "M"}${x(xs[place]).toFixed(1)} ${y(numbers[place]).toFixed(1)}`;
  return path;
}

/** An exponential mean that is not drawn towards zero at its beginning. */
function smoothed(numbers) {
  let sum = 0, weight = 0;
  return numbers.map((number) => {
    sum = SMOOTHNESS * sum + (1 - SMOOTHNESS) * number;
    weight = SMOOTHNESS * weight + (1 - SMOOTHNESS);
    return sum / weight;
  });
}

/** Round marks, and a range that holds every value between the outermost of them. */
function scaleOf(lines, count) {
  let low = Infinity, high = -Infinity;
  for (const line of lines)
    for (const number of line.ys) {
      const drawn = number / (line.scale || 1);
      if (drawn < low) low = drawn;
      if (drawn > high) high = drawn;
    }
  if (!(high >= low)) return [0, 1, [0, 1]];
  if (high === low) [low, high] = [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  const rough = (high - low) / (count - 1), size = 10 ** Math.floor(Math.log10(rough));
  const gap = [1, 2, 2.5, 5, 10].map((each) => each * size).find((each) => each >= rough * 0.999);
  const first = Math.floor(low / gap + 1e-9) * gap, marks = [];
  for (let place = 0; place < 12 && (!marks.length || marks.at(-1) < high - gap * 1e-6); place++) marks.push(Number((first + place * gap).toPrecision(12)));
  return [marks[0], marks.at(-1), marks];
}
