"""Importing: a file, its first rows, which of its columns are ours, and what became of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import gradio as gr

from labeling import experts, import_work
from labeling.intake import preview
from labeling.ui.errors import presented, say, unchanged
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, choice, elem_id
from labeling.ui.i18n import Words, moment
from labeling.ui.session import Services, who_asks
from labeling.ui.view import Node, card, node, pill, shown, table, title, view
from schemas.errors import InvalidInput
from schemas.intake import FIELDS, IMPORT_KINDS, ImportKind, ImportView, Preview
from schemas.people import Actor

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16")
_COUNTS = ("read", "added", "known", "changed", "incomplete", "refused")
_CELL = 160


class FileShown(NamedTuple):
    """The head of a file and a choice of column for each of our fields."""

    head: Any
    encoding: Any
    id: Any
    query: Any
    history: Any
    experts: Any
    trace: Any
    plan: Any
    messages: Any
    notice: Any


class ImportsShown(NamedTuple):
    """What became of files."""

    imports: Any
    notice: Any


class ListsShown(NamedTuple):
    """Lists to choose from, and earlier imports."""

    experts: Any
    imports: Any
    notice: Any


class ImportHandlers:
    """What happens on the tab."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> ListsShown:
        """Show earlier imports."""
        who = who_asks(request, "reviewer")
        versions = experts.list_versions(self.services.database, who)
        names = [(self.words("queries.list_current"), "")]
        names += [(each.reference, each.reference) for each in versions]
        return ListsShown(gr.Dropdown(choices=names), self._imports(who), gr.skip())

    @presented
    def on_file(self, path: str | None, encoding: str | None, request: gr.Request) -> FileShown:
        """Show the head of the file that was chosen."""
        who_asks(request, "admin")
        if path is None:
            return unchanged(FileShown, head=shown())
        found = preview(Path(path), encoding=encoding or None)
        columns = {
            field: gr.Dropdown(
                choices=["", *found.columns], value=field if field in found.columns else ""
            )
            for field in FIELDS
        }
        head = shown(self._head(found))
        return unchanged(FileShown, head=head, encoding=found.encoding or "", **columns)

    @presented
    def on_import(self, request: gr.Request, *inputs: Any) -> ImportsShown:
        """Import the file in the background."""
        who = who_asks(request, "admin")
        path, kind, reference, encoding, *columns = inputs
        if path is None:
            raise InvalidInput("intake.no_file")
        preview(Path(path), encoding=encoding or None)
        if reference:
            experts.get_list(self.services.database, who, reference)
        chosen = dict(zip(FIELDS, columns, strict=True))
        import_work.start_import(
            self.services.database,
            self.services.durable,
            self.services.settings,
            who,
            Path(path),
            kind=cast(ImportKind, kind),
            experts=reference or None,
            mapping={ours: theirs for ours, theirs in chosen.items() if theirs and theirs != ours},
            encoding=encoding or None,
        )
        return ImportsShown(self._imports(who), say(self.words("queries.import_started")))

    @presented
    def on_tick(self, request: gr.Request) -> ImportsShown:
        """Look how far the imports are."""
        return ImportsShown(self._imports(who_asks(request, "reviewer")), gr.skip())

    def _imports(self, who: Actor) -> Any:
        found = import_work.list_imports(self.services.database, who)
        heads = [self.words("queries.file"), *(self.words(f"queries.count_{n}") for n in _COUNTS)]
        rows = [(None, self._import(each)) for each in found]
        listing = table(heads, rows, empty=self.words("queries.no_imports"))
        return shown(card(self.words("queries.imports"), listing))

    def _import(self, found: ImportView) -> list[Node]:
        kinds = {"running": "warn", "done": "ok"}
        state = pill(self.words(f"queries.import_{found.state}"), kinds.get(found.state, "bad"))
        counts = found.counts.model_dump()
        errors: list[Node] = []
        if found.counts.errors_file:
            href = f"/download/import-errors/{found.id}"
            errors = [node("a", self.words("queries.errors_file"), href=href, download=True)]
        about = f"{self.words(f'queries.import_kind_{found.kind}')} · {moment(found.created_at)}"
        name = node(
            "div", found.file_name, " ", state, node("div", about, " ", *errors, cls="pw-mute")
        )
        return [name, *(f"{counts[each]:,}" for each in _COUNTS)]

    def _head(self, found: Preview) -> Node:
        rows = [(None, [_cell(row.get(column)) for column in found.columns]) for row in found.rows]
        about = self.words(
            "queries.preview", format=found.format.upper(), encoding=found.encoding or "–"
        )
        return card(about, table(found.columns, rows, empty=self.words("queries.no_rows")))


def _cell(value: object) -> str:
    return "" if value is None else str(value)[:_CELL]


@dataclass(frozen=True, slots=True)
class ImportTab:
    """What is on the tab."""

    file: gr.File
    kind: gr.Dropdown
    experts: gr.Dropdown
    encoding: gr.Dropdown
    columns: tuple[gr.Dropdown, ...]
    start: gr.Button
    head: gr.HTML
    imports: gr.HTML
    timer: gr.Timer


def build_import_tab(services: Services, words: Words, notice: gr.HTML) -> ImportTab:
    """The tab, with its events; inside the tabs of the Queries page."""
    tab = _lay_out(words)
    handlers = ImportHandlers(services, words)
    head = [tab.head, tab.encoding, *tab.columns, notice]
    imports = [tab.imports, notice]
    on_page_load(handlers.on_load, None, [tab.experts, *imports])
    tab.file.change(handlers.on_file, [tab.file, tab.encoding], head, **DIRECT)
    tab.encoding.input(handlers.on_file, [tab.file, tab.encoding], head, **DIRECT)
    order = [tab.file, tab.kind, tab.experts, tab.encoding, *tab.columns]
    tab.start.click(handlers.on_import, order, imports, **DIRECT)
    tab.timer.tick(handlers.on_tick, None, imports, **DIRECT)
    return tab


def _lay_out(words: Words) -> ImportTab:
    kinds = [(words(f"queries.import_kind_{kind}"), kind) for kind in IMPORT_KINDS]
    with gr.Tab(words("queries.tab_import"), id="import"), gr.Row():
        with gr.Column(scale=2):
            with gr.Column(elem_classes="pw-form"):
                file = gr.File(
                    label=words("queries.file_label"),
                    file_types=[".jsonl", ".json", ".csv", ".xlsx", ".parquet"],
                    type="filepath",
                    elem_id="queries-file",
                    height=140,
                )
                with gr.Row():
                    kind = choice(words, "queries.kind", kinds, value="queries")
                    pinned = choice(
                        words, "queries.experts", [(words("queries.list_current"), "")], value=""
                    )
                    encoding = choice(
                        words,
                        "queries.encoding",
                        ["", *ENCODINGS],
                        value="",
                        allow_custom_value=True,
                    )
                title(words("queries.mapping"))
                with gr.Row():
                    columns = tuple(
                        gr.Dropdown(
                            [""],
                            value="",
                            label=field,
                            min_width=110,
                            elem_id=elem_id(f"queries.map_{field}"),
                        )
                        for field in FIELDS
                    )
                start = button(words, "queries.start_import", "primary")
            imports = view("queries-imports", classes="pw-narrow")
        with gr.Column(scale=3):
            head = view("queries-head", classes="pw-list pw-cells")
    timer = gr.Timer(2)
    return ImportTab(file, kind, pinned, encoding, columns, start, head, imports, timer)
