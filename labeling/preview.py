"""Judging a plan while it is edited: its problems, and what the rewards would say."""

from db.access import annotations, projects, prompts, queries
from db.engine import Database
from db.tables import Query
from labeling.desk import pinned_list
from schemas.desk import SuggestionView
from schemas.dialects import get_dialect
from schemas.errors import NotFound
from schemas.experts import ExpertList
from schemas.people import Actor
from schemas.plan import Plan, parse_plan, plan_problems
from schemas.preview import PlanPreview, score_plan
from schemas.project import ProjectSettings
from schemas.prompt import render_system
from schemas.scoring.context import ScoringContext


def preview(
    database: Database,
    who: Actor,
    annotation_id: str,
    *,
    content: object,
    suggestion_id: str | None = None,
) -> PlanPreview:
    """Problems of a plan under its query's list; scores when there are none.

    Args:
        database: The database; only read.
        who: An annotator or above.
        annotation_id: Whose query, list and prompt count.
        content: The plan as it is typed, plain JSON.
        suggestion_id: The suggestion beside it, whose trace is scored with the plan.

    Raises:
        NotFound: `annotate.not_found`.
    """
    who.require("annotator")
    with database.reading() as session:
        annotation = annotations.find_annotation(session, who.project_id, annotation_id)
        query = annotation and queries.find_query(session, who.project_id, annotation.query_id)
        if query is None:
            raise NotFound("annotate.not_found")
        expert_list = pinned_list(session, who.project_id, query.list_version_id).current
        problems = tuple(plan_problems(content, expert_list))
        if problems:
            return PlanPreview(problems=problems, scores=None)
        suggestions = queries.list_suggestions(session, query.id)
        settings = projects.read_settings(session, who.project_id)
        template = prompts.get_template(session, query.prompt_version_id)
    beside = next((each for each in suggestions if each.id == suggestion_id), None)
    trace = (beside.trace if beside else None) or None
    context = _context(query, expert_list, template, settings, with_thinking=trace is not None)
    plan = parse_plan(content, expert_list)
    scores = score_plan(plan, context, trace, _plan_of(beside, expert_list))
    return PlanPreview(problems=(), scores=scores)


def _context(
    query: Query,
    expert_list: ExpertList,
    template: str,
    settings: ProjectSettings,
    *,
    with_thinking: bool,
) -> ScoringContext:
    dialect = get_dialect(query.dialect)
    return ScoringContext(
        with_thinking=with_thinking,
        dialect=query.dialect,
        expert_names=expert_list.names,
        query=query.text,
        system_prompt=render_system(
            template, expert_list, query.window, dialect, with_thinking=with_thinking
        ),
        think_min=settings.think.min,
        think_max=settings.think.max,
        think_eps=settings.think.eps,
        banned_words=settings.banned_words,
    )


def _plan_of(suggestion: SuggestionView | None, expert_list: ExpertList) -> Plan | None:
    if suggestion is None or suggestion.plan is None:
        return None
    return (
        None
        if plan_problems(suggestion.plan, expert_list)
        else Plan.model_validate(suggestion.plan)
    )
