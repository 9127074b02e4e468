"""The part of the datasets page that follows one query: the rows and runs that hold it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr

from exports.bundle import recall
from exports.lineage import holders_of
from labeling.ui.errors import presented
from labeling.ui.events import DIRECT
from labeling.ui.fields import button, text
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from labeling.ui.view import Node, card, node, pill, shown, table, title, view
from schemas.bundle import Recalled
from schemas.serving import Holder


class RecallShown(NamedTuple):
    """Where a query is."""

    found: Any
    notice: Any


class RecallHandlers:
    """What happens in this part."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_recall(self, query_id: str | None, request: gr.Request) -> RecallShown:
        """Find every row of every bundle that came from a query, and the runs that hold it."""
        who, services = who_asks(request, "admin"), self.services
        wanted = (query_id or "").strip()
        if not wanted:
            return RecallShown(shown(), gr.skip())
        lines = recall(services.database, who, wanted)
        holders = holders_of(services.database, services.settings, who, wanted)
        return RecallShown(shown(recall_view(lines, holders, self.words)), gr.skip())


def recall_view(lines: Sequence[Recalled], holders: Sequence[Holder], words: Words) -> Node:
    """Rows by bundle, then runs with the planners that they became."""
    page = f"/{words.language}"
    rows: list[tuple[str | None, list[Node]]] = [
        (
            None,
            [
                node("a", each.bundle, href=f"{page}/datasets?bundle={each.bundle_id}"),
                f"{each.file}:{each.line}",
            ],
        )
        for each in lines
    ]
    heads = [words(f"datasets.{name}") for name in ("bundle", "recall_row")]
    parts = [table(heads, rows, empty=words("datasets.recall_none"))]
    if holders:
        heads = [words(f"datasets.recall_{name}") for name in ("run", "planner")]
        held = [(None, _holder(each, words)) for each in holders]
        parts.append(table(heads, held, empty=""))
    return card(words("datasets.recall_found"), *parts)


def _holder(found: Holder, words: Words) -> list[Node]:
    run, page = found.run, f"/{words.language}"
    name = f"{found.bundle} · {run.recipe} · {run.stage.upper()} · {run.run_id[-6:]}"
    link: Node = node("a", name, href=f"{page}/training?run={run.chain_id}")
    mark = [pill(words("datasets.recall_inherited"), "quiet")] if found.is_inherited else []
    became: Node = "–"
    if run.planner_id:
        became = node("a", run.planner or "", href=f"{page}/planners?planner={run.planner_id}")
    return [node("div", link if run.chain_id else name, " ", *mark), became]


def build_recall(services: Services, words: Words, told: gr.HTML) -> gr.HTML:
    """The part, with its events."""
    with gr.Column(elem_classes="pw-form", elem_id="datasets-recall-form"):
        title(words("datasets.recall_title"))
        with gr.Row(equal_height=True):
            query = text(words, "datasets.recall_query", scale=3)
            find = button(words, "datasets.recall")
    found = view("datasets-recalled")
    handlers = RecallHandlers(services, words)
    find.click(handlers.on_recall, query, [found, told], **DIRECT)
    query.submit(handlers.on_recall, query, [found, told], **DIRECT)
    return found
