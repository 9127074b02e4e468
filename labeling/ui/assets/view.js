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

function show() {
  const next = JSON.stringify(props.value || {});
  if (next === drawn) return;
  drawn = next;
  const place = element.querySelector(".pw-view");
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
  const id = picked();
  if (id) mark(id);
  else if (props.value && props.value.first) choose(props.value.first);
}

watch("value", show);
show();
const first = picked();
if (first) setTimeout(() => trigger("pick", { id: first }), 0);
