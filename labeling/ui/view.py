"""What a page shows but does not edit: trees of plain nodes, drawn in the browser as text nodes.

A node is a text or `[tag, {attributes}, child, …]`. The script draws only tags and attributes that
it knows, so no value can become markup, and only addresses inside this application.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

Node = str | list[Any]


class Share(NamedTuple):
    """A share of 0 to 1 with its interval."""

    value: float
    low: float
    high: float


_SCRIPT = Path(__file__).parent / "assets" / "view.js"


def view(
    elem_id: str, *, parameter: str = "", classes: str = "", first: Node | None = None
) -> gr.HTML:
    """A place on the page for a node; give it `shown(node)`.

    A click on a node with `pick` fires the `pick` event with its id. With a `parameter`, what was
    picked stands in the address (`?run=ID`), and is picked again when the page is loaded anew.
    A tick leaves what is picked alone: its answer may be older than the person's click.
    """
    return gr.HTML(
        {} if first is None else shown(first),
        html_template="<div class='pw-view'></div>",
        js_on_load=_SCRIPT.read_text("utf-8"),
        elem_id=elem_id,
        elem_classes=classes or None,
        padding=False,
        apply_default_css=False,
        parameter=parameter,
    )


def title(text: str) -> None:
    """A small title inside a form; for words of ours only, Gradio takes it as HTML."""
    gr.HTML(html_template=f"<h3 class='pw-title'>{text}</h3>", padding=False)


def on_pick(
    place: gr.HTML, handler: Callable[..., object], inputs: object, outputs: object
) -> None:
    """Call a handler (it takes a `gr.EventData` too) when a row of a view is picked."""
    place.pick(handler, inputs, outputs, queue=False, show_progress="hidden")


def picked_id(event: gr.EventData) -> str:
    """The id of what was picked."""
    data: dict[str, object] = event._data or {}  # pyright: ignore[reportPrivateUsage]
    return str(data.get("id", ""))


def shown(
    *nodes: Node, picked: str = "", first: str = "", is_calm: bool = False
) -> dict[str, object]:
    """The value of a view; `picked` marks a row and goes into the address, as a click does.

    Where nobody has picked anything yet, `first` is picked. What is calm waits while somebody reads
    something that they have unfolded.
    """
    return {"nodes": list(nodes), "picked": picked, "first": first, "calm": is_calm}


def node(tag: str, *children: Node, **attributes: object) -> Node:
    """One element; `cls` is its class, `pick` the id that a click tells, `href` one of ours."""
    return [
        tag,
        {name: value for name, value in attributes.items() if value is not None},
        *children,
    ]


def pill(text: str, kind: str = "") -> Node:
    """A short state: kind ok, warn, bad, quiet, or nothing."""
    return node("span", text, cls=f"pw-pill pw-{kind}" if kind else "pw-pill")


def table(
    heads: Sequence[str], rows: Iterable[tuple[str | None, Sequence[Node]]], *, empty: str
) -> Node:
    """A table; each row has the id that picking it tells (or None) and one node a column."""
    body = [node("tr", *(node("td", cell) for cell in cells), pick=pick) for pick, cells in rows]
    if not body:
        return node("p", empty, cls="pw-empty")
    head = node("thead", node("tr", *(node("th", each) for each in heads)))
    return node("div", node("table", head, node("tbody", *body)), cls="pw-scroll")


def facts(pairs: Iterable[tuple[str, Node]]) -> Node:
    """Names beside values."""
    children: list[Node] = []
    for name, value in pairs:
        children += [node("dt", name), node("dd", value)]
    return node("dl", *children, cls="pw-facts")


def card(title: str, *children: Node, right: Node | None = None) -> Node:
    """A quiet box under a small title."""
    head = [title] if right is None else [title, node("span", right, cls="pw-card-right")]
    return node("div", node("h3", *head), *children, cls="pw-card")


def bar(share: float, kind: str = "") -> Node:
    """A share of 0 to 1 as a line."""
    percent = round(100 * max(0.0, min(1.0, share)), 1)
    return node("span", node("i", width=percent), cls=f"pw-bar pw-bar-wide pw-{kind}")


def interval(value: float, low: float | None, high: float | None) -> Node:
    """A share of 0 to 1 as a dot on a line, with its interval where there is one."""
    return ["interval", {"value": value, "low": low, "high": high}]


def chart(
    title: str,
    points: Sequence[tuple[float, float]],
    *,
    label: str = "",
    ticks: Sequence[str] = (),
) -> Node:
    """A small line chart of (step, value), drawn by the script as SVG.

    With `ticks` a step is a place among them, and they are what a reader sees of it.
    """
    listed = [list(each) for each in points]
    return ["chart", {"title": title, "label": label, "points": listed, "ticks": list(ticks)}]


def group_of_bars(
    title: str, names: Sequence[str], groups: Sequence[tuple[str, Sequence[Share]]]
) -> Node:
    """Shares of 0 to 1 side by side in named groups, one bar a series, each with its interval."""
    drawn = [{"label": label, "bars": [list(each) for each in shares]} for label, shares in groups]
    return ["bars", {"title": title, "names": list(names), "groups": drawn}]


def distributions(
    title: str, names: Sequence[str], counts: Sequence[Sequence[int]], *, width: float, unit: str
) -> Node:
    """Histograms over one axis, on top of each other; bins are `width` wide and begin at 0."""
    drawn = [list(each) for each in counts]
    shape = {"title": title, "names": list(names), "counts": drawn, "width": width, "unit": unit}
    return ["distributions", shape]
