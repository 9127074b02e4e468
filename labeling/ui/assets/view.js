// Draws trees of plain nodes; knows every tag and attribute that may appear, and sets text only.
const TAGS = new Set(("div span p b i em small table thead tbody tr th td h2 h3 h4 ul ol li pre code a " +
  "button details summary dl dt dd kbd ins del hr").split(" "));
const SVG = "http://www.w3.org/2000/svg";
let drawn = "";

function draw(node) {
  if (typeof node !== "object" || node === null) return document.createTextNode(window.planwright.local(node ?? ""));
  const [tag, attributes, ...children] = node;
  if (tag === "chart") return chart(attributes);
  if (tag === "interval") return interval(attributes);
  if (tag === "bars") return groupsOfBars(attributes);
  if (tag === "distributions") return distributions(attributes);
  const made = document.createElement(TAGS.has(tag) ? tag : "span");
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "cls") made.className = value;
    else if (name === "title") made.title = value;
    else if (name === "open") made.open = Boolean(value);
    else if (name === "id") made.id = value;
    else if (name === "width") made.style.width = `${Number(value)}%`;
    else if (name === "height") made.style.height = `${Number(value)}%`;
    else if (name === "key") made.dataset.key = value;
    else if (name === "href" && /^\/(?!\/)/.test(value)) made.href = value;
    else if (name === "download") made.setAttribute("download", "");
    else if (name === "copy") {
      made.type = "button";
      made.addEventListener("click", () => navigator.clipboard.writeText(value).then(() =>
        window.planwright.notify("done", made.textContent + " ✓")));
    } else if (name === "pick") pickable(made, String(value));
  }
  for (const child of children) made.append(draw(child));
  return made;
}

function pickable(made, id) {
  made.dataset.pick = id;
  made.classList.add("pw-pick");
  made.tabIndex = 0;
  const pick = () => choose(id);
  made.addEventListener("click", (event) => event.target.closest("a, button, summary") || pick());
  made.addEventListener("keydown", (event) => {
    if (event.target === made && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      pick();
    }
  });
  if (made.tagName === "BUTTON") made.addEventListener("click", pick);
}

function remember(id) {
  if (!props.parameter || picked() === id) return;
  const address = new URL(location.href);
  address.searchParams.set(props.parameter, id);
  history.replaceState(history.state, "", address);
}

function choose(id) {
  remember(id);
  mark(id);
  trigger("pick", { id });
}

function mark(id) {
  for (const row of element.querySelectorAll("[data-pick]"))
    row.classList.toggle("pw-on", row.dataset.pick === id);
}

function picked() {
  return props.parameter ? new URLSearchParams(location.search).get(props.parameter) : null;
}

function shapeOf(kind, attributes) {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** A share between 0 and 1 on its line, with the interval that it lies in. */
function interval({ value, low, high }) {
  const svg = shapeOf("svg", { class: "pw-interval", viewBox: "0 0 100 12", preserveAspectRatio: "none", role: "img" });
  svg.append(shapeOf("line", { class: "pw-axis", x1: 0, x2: 100, y1: 6, y2: 6 }));
  if (low !== null && high !== null) svg.append(shapeOf("line", { x1: 100 * low, x2: 100 * high, y1: 6, y2: 6 }));
  svg.append(shapeOf("line", { class: "pw-dot", x1: 100 * value, x2: 100 * value, y1: 1, y2: 11 }));
  const told = low === null ? `${(100 * value).toFixed(1)} %` : `${(100 * value).toFixed(1)} % (${(100 * low).toFixed(1)} – ${(100 * high).toFixed(1)} %)`;
  svg.setAttribute("aria-label", told);
  const tip = shapeOf("title", {});
  tip.textContent = told;
  svg.append(tip);
  return svg;
}

function chart({ title, label, points, ticks = [] }) {
  const nameOf = (x) => ticks[x] ?? x;
  const box = document.createElement("div");
  box.className = "pw-chart";
  const head = document.createElement("h4");
  const last = points.length ? points[points.length - 1][1] : null;
  head.append(draw(title), draw(["b", {}, label || (last === null ? "–" : Number(last.toPrecision(4)))]));
  box.append(head);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 300 90");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", title);
  const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
  const [x0, x1] = ticks.length ? [0, ticks.length - 1] : [Math.min(...xs), Math.max(...xs)], [y0, y1] = [Math.min(...ys), Math.max(...ys)];
  const place = ([x, y]) => [
    x1 > x0 ? (300 * (x - x0)) / (x1 - x0) : 150, y1 > y0 ? 84 - (78 * (y - y0)) / (y1 - y0) : 45];
  if (points.length) {
    const shape = points.length > 1 ? "polyline" : "circle";
    const line = document.createElementNS(SVG, shape);
    if (shape === "polyline") line.setAttribute("points", points.map((point) => place(point).join(",")).join(" "));
    else for (const [name, value] of Object.entries({ cx: 150, cy: 45, r: 3 })) line.setAttribute(name, value);
    svg.append(line);
    const marks = points.length > 400 ? [] : points;
    for (const point of marks) {
      const dot = document.createElementNS(SVG, "rect");
      const [x, y] = place(point);
      for (const [name, value] of Object.entries({ x: x - 3, y: 0, width: 6, height: 90 })) dot.setAttribute(name, value);
      const tip = document.createElementNS(SVG, "title");
      tip.textContent = `${nameOf(point[0])}: ${point[1]}`;
      dot.append(tip);
      svg.append(dot);
    }
  }
  box.append(svg);
  const foot = document.createElement("div");
  foot.className = "pw-chart-foot";
  const short = (value) => (Number.isFinite(value) ? Number(value.toPrecision(3)) : "");
  foot.append(draw(["span", {}, ticks.length ? `${nameOf(0)} – ${ticks.at(-1)}` : `${short(x0)} – ${short(x1)}`]), draw(["span", {}, `${short(y0)} – ${short(y1)}`]));
  box.append(foot);
  return box;
}

const percent = (value) => `${(100 * value).toFixed(1)} %`;

/** A drawing under its title and the names of its series; what stands below it is HTML, so that it is never stretched. */
function figure(title, names) {
  const box = document.createElement("div");
  box.className = "pw-chart pw-plot";
  const legend = names.map((name, at) => ["span", { cls: `pw-key pw-tone${at}` }, name]);
  box.append(draw(["h4", {}, title, ["span", { cls: "pw-keys" }, ...legend]]));
  const svg = shapeOf("svg", { viewBox: "0 0 1000 200", preserveAspectRatio: "none", role: "img", "aria-label": title });
  for (const y of [0.5, 50, 100, 150]) svg.append(shapeOf("line", { class: "pw-grid", x1: 0, x2: 1000, y1: y, y2: y }));
  svg.append(shapeOf("line", { class: "pw-axis", x1: 0, x2: 1000, y1: 199.5, y2: 199.5 }));
  box.append(svg);
  return [box, svg];
}

function told(shape, text) {
  const tip = shapeOf("title", {});
  tip.textContent = window.planwright.local(text);
  shape.append(tip);
  return shape;
}

/** Shares in groups: [value, low, high] of each series. */
function groupsOfBars({ title, names, groups }) {
  const [box, svg] = figure(title, names);
  const wide = 1000 / groups.length, bar = Math.min(90, (0.62 * wide) / names.length);
  groups.forEach(({ label, bars }, place) => {
    const left = wide * (place + 0.5) - (bar * bars.length) / 2;
    bars.forEach(([value, low, high], at) => {
      const x = left + bar * at, y = (share) => 200 - 200 * share;
      const text = `${label} · ${names[at]}: ${percent(value)} (${percent(low)} – ${percent(high)})`;
      svg.append(told(shapeOf("rect", { class: `pw-tone${at}`, x: x + 2, width: bar - 4, y: y(value), height: 200 * value }), text));
      svg.append(shapeOf("line", { class: "pw-whisker", x1: x + bar / 2, x2: x + bar / 2, y1: y(low), y2: y(high) }));
    });
  });
  const foot = groups.map(({ label, bars }) =>
    ["div", {}, ["b", {}, label], ["span", {}, bars.map(([value]) => `${(100 * value).toFixed(1)}`).join(" → ") + " %"]]);
  box.append(draw(["div", { cls: "pw-plot-foot pw-even" }, ...foot]));
  return box;
}

/** How often each length occurs, of every series over one axis; the last bin holds all that is longer. */
function distributions({ title, names, counts, width, unit }) {
  const [box, svg] = figure(title, names);
  const most = Math.max(1, ...counts.flat()), bins = counts[0].length, wide = 1000 / bins;
  counts.forEach((series, at) => {
    const outline = series.map((count, bin) => {
      const y = 200 - (190 * count) / most;
      return `L ${bin * wide} ${y} L ${(bin + 1) * wide} ${y}`;
    });
    svg.append(shapeOf("path", { class: `pw-area pw-tone${at}`, d: `M 0 200 ${outline.join(" ")} L 1000 200 Z` }));
  });
  for (let bin = 0; bin < bins; bin++) {
    const from = bin * width, reach = bin === bins - 1 ? `≥ ${from}` : `${from} – ${from + width}`;
    const text = `${reach} ${unit}: ${names.map((name, at) => `${name} ${counts[at][bin]}`).join(", ")}`;
    svg.append(told(shapeOf("rect", { class: "pw-hit", x: bin * wide, width: wide, y: 0, height: 200 }), text));
  }
  const ends = [0, 0.25, 0.5, 0.75, 1].map((share) => Number((share * bins * width).toPrecision(4)));
  const foot = ends.map((end, at) => ["span", {}, at === ends.length - 1 ? `${end} ${unit}` : `${end}`]);
  box.append(draw(["div", { cls: "pw-plot-foot" }, ...foot]));
  return box;
}

function show() {
  const next = JSON.stringify(props.value || {});
  const place = element.querySelector(".pw-view");
  if (next === drawn || (props.value?.calm && place.querySelector("details[open]"))) return;
  drawn = next;
  const open = new Set([...place.querySelectorAll("details[open][data-key]")].map((each) => each.dataset.key));
  const logs = [...place.querySelectorAll("pre[data-key]")].map((each) =>
    [each.dataset.key, each.scrollTop, each.scrollHeight - each.scrollTop - each.clientHeight < 30]);
  place.replaceChildren(...((props.value && props.value.nodes) || []).map(draw));
  for (const each of place.querySelectorAll("details[data-key]")) if (open.has(each.dataset.key)) each.open = true;
  for (const log of place.querySelectorAll("pre[data-key]")) {
    const [, top, isAtEnd] = logs.find(([key]) => key === log.dataset.key) || [null, 0, true];
    log.scrollTop = isAtEnd ? log.scrollHeight : top;
  }
  if (props.value && props.value.picked) remember(props.value.picked);
  const id = picked() || (props.value && props.value.picked);
  if (id) mark(id);
  else if (props.value && props.value.first) choose(props.value.first);
}

watch("value", show);
element.addEventListener("toggle", show, true);
show();
const first = picked();
if (first) setTimeout(() => trigger("pick", { id: first }), 0);
