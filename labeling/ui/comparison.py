"""The section of the Evaluation page that puts two planners side by side, regressions first."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from exports import alike, evaluations
from labeling.ui.change_views import changes_view, sent_view
from labeling.ui.comparison_views import comparison_view, confusion_view
from labeling.ui.errors import presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import choice
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from labeling.ui.view import Node, node, on_pick, picked_id, shown, title, view
from schemas.evaluation import ChangeKind, EvaluationView
from schemas.people import Actor

KINDS: tuple[ChangeKind, ...] = ("broken", "mended", "wrong")


class ComparisonShown(NamedTuple):
    """Two evaluations; the order is the order of the outputs."""

    before: Any
    after: Any
    comparison: Any
    expert: Any
    changes: Any
    confusion: Any
    notice: Any


class ChangesShown(NamedTuple):
    """The questions of a kind."""

    expert: Any
    changes: Any
    notice: Any


class SentShown(NamedTuple):
    """What was brought forward."""

    sent: Any
    notice: Any


class ComparisonHandlers:
    """What happens in the section."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> ComparisonShown:
        """Offer finished evaluations, and show the two newest that can be compared."""
        who = who_asks(request, "admin")
        done = self._done(who)
        pair = newest_pair(done)
        offered = [(named(each), each.id) for each in done]
        before, after = (gr.Dropdown(choices=offered, value=each) for each in pair or (None, None))
        if pair is None:
            empty = shown(node("p", self.words("evaluation.pick_two"), cls="pw-empty"))
            skip = gr.skip()
            return ComparisonShown(before, after, empty, skip, shown(), shown(), skip)
        compared = self._compared(who, *pair, kind="broken")
        return compared._replace(before=before, after=after)

    @presented
    def on_compare(
        self, before: str, after: str, kind: ChangeKind, request: gr.Request
    ) -> ComparisonShown:
        """Show two evaluations side by side."""
        who = who_asks(request, "admin")
        if not before or not after:
            return ComparisonShown(*(gr.skip() for _ in ComparisonShown._fields))
        return self._compared(who, before, after, kind=kind)

    @presented
    def on_kind(
        self, before: str, after: str, kind: ChangeKind, request: gr.Request
    ) -> ChangesShown:
        """Show the questions of another kind, and offer the experts that stand in them."""
        return self._changes(who_asks(request, "admin"), before, after, kind)

    @presented
    def on_expert(
        self, before: str, after: str, kind: ChangeKind, expert: str, request: gr.Request
    ) -> ChangesShown:
        """Show the questions where the accepted plan or an answer calls an expert."""
        who = who_asks(request, "admin")
        found = self._changes(who, before, after, kind, expert=expert or None)
        return found._replace(expert=gr.skip())

    @presented
    def on_send(self, evaluation: str, event: gr.EventData, request: gr.Request) -> SentShown:
        """Bring what is most like a question forward for annotation."""
        who = who_asks(request, "admin")
        found = alike.send_alike(self.services.database, who, evaluation, picked_id(event))
        told = self.words("evaluation.sent", queries=len(found.queries), batch=found.batch)
        return SentShown(shown(sent_view(found, self.words)), say(told))

    def _changes(
        self,
        who: Actor,
        before: str,
        after: str,
        kind: ChangeKind,
        *,
        expert: str | None = None,
    ) -> ChangesShown:
        if not before or not after:
            return ChangesShown(gr.skip(), gr.skip(), gr.skip())
        found = evaluations.find_changes(
            self.services.database, who, before, after, kind, expert=expert
        )
        drawn = changes_view(found, self._names(who, before, after), self.words)
        every = (self.words("evaluation.all_experts"), "")
        offered = gr.Dropdown(choices=[every, *((each, each) for each in found.experts)], value="")
        return ChangesShown(offered, shown(drawn), gr.skip())

    def _compared(
        self, who: Actor, before: str, after: str, *, kind: ChangeKind
    ) -> ComparisonShown:
        database, words = self.services.database, self.words
        found = evaluations.compare_evaluations(database, who.project_id, before, after)
        changes = self._changes(who, before, after, kind)
        names = self._names(who, before, after)
        base = f"/download/comparison/{before}/{after}"
        drawn = comparison_view(found, names, (f"{base}.md", f"{base}.csv"), words)
        matrices: list[Node] = [
            confusion_view(
                f"{words(f'evaluation.confusion_{side}')} · {name}",
                evaluations.find_confusion(database, who, evaluation),
                words,
            )
            for side, name, evaluation in zip(
                ("before", "after"), names, (before, after), strict=True
            )
        ]
        return ComparisonShown(
            gr.skip(),
            gr.skip(),
            shown(drawn),
            changes.expert,
            changes.changes,
            shown(node("div", *matrices, cls="pw-two")),
            gr.skip(),
        )

    def _done(self, who: Actor) -> list[EvaluationView]:
        found = evaluations.list_evaluations(self.services.database, who)
        return [each for each in found if each.state == "done"]

    def _names(self, who: Actor, before: str, after: str) -> tuple[str, str]:
        known = {each.id: each for each in self._done(who)}
        first, second = known[before].planner.name, known[after].planner.name
        if first != second:
            return first, second
        told = [self.words(f"evaluation.{side}") for side in ("before", "after")]
        return f"{first} · {told[0]}", f"{second} · {told[1]}"


def newest_pair(done: list[EvaluationView]) -> tuple[str, str] | None:
    """The newest finished evaluation, and before it the newest of another planner on its benchmark.

    Of the same planner where there is no other.
    """
    for after in done:
        older = [each for each in done if each.created_at < after.created_at]
        same = [each for each in older if each.benchmark == after.benchmark]
        others = [each for each in same if each.planner.id != after.planner.id]
        if same:
            return (others or same)[0].id, after.id
    return None


def named(found: EvaluationView) -> str:
    """An evaluation in a list of choices."""
    return f"{found.planner.name} · {found.benchmark} · {found.created_at:%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class ComparisonSection:
    """What is on the screen."""

    before: gr.Dropdown
    after: gr.Dropdown
    comparison: gr.HTML
    kind: gr.Dropdown
    expert: gr.Dropdown
    sent: gr.HTML
    changes: gr.HTML
    confusion: gr.HTML


def lay_out_comparison(words: Words) -> ComparisonSection:
    """The section, without its events."""
    with gr.Column(elem_classes="pw-form"):
        title(words("evaluation.comparison"))
        with gr.Row():
            before = choice(words, "evaluation.before")
            after = choice(words, "evaluation.after")
    comparison = view("evaluation-comparison")
    kinds = [(words(f"evaluation.kind_{each}"), each) for each in KINDS]
    with gr.Column(elem_classes="pw-form", elem_id="evaluation-narrowed"), gr.Row():
        kind = choice(words, "evaluation.kind", kinds, value="broken")
        expert = choice(
            words, "evaluation.expert", [(words("evaluation.all_experts"), "")], value=""
        )
    return ComparisonSection(
        before=before,
        after=after,
        comparison=comparison,
        kind=kind,
        expert=expert,
        sent=view("evaluation-sent"),
        changes=view("evaluation-changes"),
        confusion=view("evaluation-confusion"),
    )


def bind_comparison(
    section: ComparisonSection, services: Services, words: Words, notice: gr.HTML
) -> ComparisonHandlers:
    """The events of the section, and who answers them."""
    handlers = ComparisonHandlers(services, words)
    pair = [section.before, section.after]
    compared = [
        *pair,
        section.comparison,
        section.expert,
        section.changes,
        section.confusion,
        notice,
    ]
    on_page_load(handlers.on_load, None, compared)
    for each in pair:
        each.input(handlers.on_compare, [*pair, section.kind], compared, **DIRECT)
    shown_again = [section.expert, section.changes, notice]
    kind = [*pair, section.kind]
    section.kind.input(handlers.on_kind, kind, shown_again, **DIRECT)
    section.expert.input(handlers.on_expert, [*kind, section.expert], shown_again, **DIRECT)
    on_pick(section.changes, handlers.on_send, section.after, [section.sent, notice])
    return handlers
