"""Evaluation: planners asked the questions of a benchmark, and compared."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr
from pydantic import ValidationError

from exports import evaluations
from exports.training.examine import start_evaluation
from labeling.ui import evaluation_views as views
from labeling.ui.comparison import ComparisonSection, bind_comparison, lay_out_comparison
from labeling.ui.comparison_views import confusion_view
from labeling.ui.errors import notice, presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, check, choice, hidden, number, text
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from labeling.ui.view import on_pick, picked_id, shown, title, view
from schemas.errors import InvalidInput, NotFound
from schemas.evaluation import EvaluationOrder, EvaluationView
from schemas.people import Actor

_ANSWERS = 200


class ChoicesShown(NamedTuple):
    """What there is to choose from."""

    planner: Any
    benchmark: Any
    benchmarks: Any
    notice: Any


class EvaluationsShown(NamedTuple):
    """The evaluations, and the one that was picked; the order is the order of the outputs."""

    evaluations: Any
    evaluation: Any
    picked: Any
    notice: Any


class EvaluationHandlers:
    """What happens on the page."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> ChoicesShown:
        """Offer planners, benchmarks and finished evaluations."""
        who, database = who_asks(request, "admin"), self.services.database
        planners = [(each.name, each.id) for each in evaluations.list_planners(database, who)]
        benchmarks = evaluations.list_benchmarks(database, who)
        names = [each.reference for each in benchmarks]
        listing = views.benchmarks_view(benchmarks, self.words)
        return ChoicesShown(
            gr.Dropdown(choices=planners),
            gr.Dropdown(choices=names, value=names[0] if names else None),
            shown(listing),
            gr.skip(),
        )

    @presented
    def on_tick(self, request: gr.Request) -> EvaluationsShown:
        """Look how far the evaluations are."""
        return self._evaluations(who_asks(request, "admin"), None)._replace(picked=gr.skip())

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> EvaluationsShown:
        """Show one evaluation with its answers."""
        return self._evaluations(who_asks(request, "admin"), picked_id(event))

    @presented
    def on_start(self, request: gr.Request, *fields: Any) -> EvaluationsShown:
        """Evaluate in the background."""
        who = who_asks(request, "admin")
        names = (
            "planner",
            "endpoint",
            "model",
            "key_env",
            "benchmark",
            "limit",
            "max_tokens",
            "with_thinking",
            "is_anew",
        )
        given = {name: value or None for name, value in zip(names, fields, strict=True)}
        switches = {name: bool(given[name]) for name in names[-2:]}
        try:
            order = EvaluationOrder.model_validate(given | switches)
        except ValidationError as error:
            raise InvalidInput("evaluate.planner_or_endpoint") from error
        services = self.services
        started = start_evaluation(
            services.database, services.settings, services.durable, who, order
        )
        return self._evaluations(who, started, say(self.words("evaluation.started")))

    def _evaluations(self, who: Actor, picked: str | None, told: Any = None) -> EvaluationsShown:
        found = evaluations.list_evaluations(self.services.database, who)
        chosen = gr.skip() if picked is None else shown(self._evaluation(who, found, picked))
        return EvaluationsShown(
            shown(
                *views.evaluations_view(found, self.words), picked=picked if picked and told else ""
            ),
            chosen,
            picked or "",
            told or gr.skip(),
        )

    def _evaluation(self, who: Actor, found: list[EvaluationView], picked: str) -> Any:
        one = next((each for each in found if each.id == picked), None)
        if one is None:
            raise NotFound("evaluate.not_found", evaluation=picked)
        answers = evaluations.list_answers(self.services.database, who, picked, most=_ANSWERS)
        confused = evaluations.find_confusion(self.services.database, who, picked)
        confusion = confusion_view(self.words("evaluation.confusion"), confused, self.words)
        return views.evaluation_view(one, answers, confusion, self.words)


@dataclass(frozen=True, slots=True)
class EvaluationPage:
    """What is on the screen."""

    order: tuple[Any, ...]
    start: gr.Button
    benchmarks: gr.HTML
    comparison: ComparisonSection
    evaluations: gr.HTML
    evaluation: gr.HTML
    picked: gr.Textbox
    timer: gr.Timer
    notice: gr.HTML


def build_evaluation_page(services: Services, words: Words) -> EvaluationPage:
    """The page, with its events."""
    page = _lay_out(words)
    handlers = EvaluationHandlers(services, words)
    choices = [page.order[0], page.order[4], page.benchmarks, page.notice]
    found = [page.evaluations, page.evaluation, page.picked, page.notice]
    on_page_load(handlers.on_load, None, choices)
    on_page_load(handlers.on_tick, None, found)
    page.timer.tick(handlers.on_tick, None, found, **DIRECT)
    on_pick(page.evaluations, handlers.on_pick, None, found)
    page.start.click(handlers.on_start, list(page.order), found, **DIRECT)
    section = page.comparison
    sending = bind_comparison(section, services, words, page.notice)
    on_pick(page.evaluation, sending.on_send, page.picked, [section.sent, page.notice])
    return page


def _lay_out(words: Words) -> EvaluationPage:
    with gr.Row():
        with gr.Column(scale=1, min_width=270):
            order, start = _lay_out_order(words)
            benchmarks = view("evaluation-benchmarks")
        with gr.Column(scale=4):
            evaluations = view("evaluation-list", parameter="evaluation", classes="pw-short")
            picked = hidden("evaluation.picked")
            one = view("evaluation-one")
            comparison = lay_out_comparison(words)
    return EvaluationPage(
        order=order,
        start=start,
        benchmarks=benchmarks,
        comparison=comparison,
        evaluations=evaluations,
        evaluation=one,
        picked=picked,
        timer=gr.Timer(3),
        notice=notice(),
    )


def _lay_out_order(words: Words) -> tuple[tuple[Any, ...], gr.Button]:
    with gr.Column(elem_classes="pw-form"):
        title(words("evaluation.order"))
        planner = choice(words, "evaluation.planner", value=None)
        title(words("evaluation.or_endpoint"))
        endpoint = text(words, "evaluation.endpoint", placeholder="https://host/v1")
        model = text(words, "evaluation.model")
        key_env = text(words, "evaluation.key_env", placeholder="DEEPSEEK_API_KEY")
        benchmark = choice(words, "evaluation.benchmark")
        limit = number(words, "evaluation.limit", value=None, precision=0, minimum=0)
        tokens = number(words, "evaluation.max_tokens", value=2048, precision=0, minimum=1)
        with_thinking = check(words, "evaluation.with_thinking", value=True)
        is_anew = check(words, "evaluation.anew")
        start = button(words, "evaluation.start", "primary")
    order = (planner, endpoint, model, key_env, benchmark, limit, tokens, with_thinking)
    order += (is_anew,)
    return order, start
