"""Evaluations as people read them: figures side by side, what changed, which experts are confused.

Comparisons are made of rows that do not change any more, so those of late are remembered.
"""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

from db.access import evaluations as access
from db.access import training
from db.access.evaluations import Listed
from db.engine import Database, Session
from db.tables import Evaluation, EvaluationAnswer, Planner
from exports import figures, judging
from exports.evaluate import confusion_of
from exports.exam import Exam, load_exam
from exports.thinking_units import CHARACTERS
from schemas.errors import InvalidInput
from schemas.evaluation import (
    AnswerRead,
    AnswerView,
    BenchmarkView,
    ChangedQuestion,
    ChangedQuestions,
    ChangeKind,
    Comparison,
    ConfusedExperts,
    EvaluationView,
    Figures,
    PlannerView,
    Terms,
)
from schemas.people import Actor
from schemas.plan import Plan
from schemas.scoring.source import source_hash

MOST_SHOWN = 50
_REMEMBERED = 16
_KINDS: dict[tuple[float, float], ChangeKind] = {
    (1.0, 0.0): "broken",
    (0.0, 1.0): "mended",
    (0.0, 0.0): "wrong",
    (1.0, 1.0): "right",
}


class _Known(NamedTuple):
    """A comparison, and which questions became what."""

    comparison: Comparison
    became: dict[ChangeKind, list[str]]


_remembered: OrderedDict[tuple[str, ...], _Known] = OrderedDict()


def list_evaluations(database: Database, who: Actor) -> list[EvaluationView]:
    """Evaluations, newest first."""
    who.require("reviewer")
    with database.reading() as session:
        rows = access.list_evaluations(session, who.project_id)
        answered = access.count_answers(session, [each.evaluation.id for each in rows])
        questions = access.count_questions(session, who.project_id)
    return [
        _view(each, answered.get(each.evaluation.id, 0), questions.get(each.benchmark.id, 0))
        for each in rows
    ]


def list_benchmarks(database: Database, who: Actor) -> list[BenchmarkView]:
    """Benchmarks of the project, newest first."""
    who.require("reviewer")
    with database.reading() as session:
        return training.list_benchmarks(session, who.project_id)


def list_planners(database: Database, who: Actor) -> list[PlannerView]:
    """Planners, newest first."""
    who.require("reviewer")
    with database.reading() as session:
        return [planner_view(row) for row in training.list_planners(session, who.project_id)]


def list_answers(
    database: Database, who: Actor, evaluation_id: str, *, most: int | None = None
) -> list[AnswerView]:
    """What the planner said to each question, by id; of at most so many the wrong ones first.

    Raises:
        NotFound: `evaluate.not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        row = access.get_evaluation(session, who.project_id, evaluation_id)
        scores = access.read_scores(session, evaluation_id)
        ids = sorted(scores)
        if most is not None:
            ids = sorted(ids, key=lambda each: scores[each].get(judging.RIGHT, 0.0))[:most]
        texts = {
            each.id: each.text
            for each in training.list_questions_of(session, row.benchmark_id, ids)
        }
        said = {each.question_id: each for each in access.list_answers(session, row.id, ids)}
    return [
        AnswerView(
            question_id=each,
            question=texts[each],
            completion=said[each].completion,
            scores=dict(scores[each]),
        )
        for each in ids
    ]


def compare_evaluations(database: Database, project_id: str, before: str, after: str) -> Comparison:
    """Two evaluations, question by question.

    Thinking is told in tokens where both were measured by one tokenizer, else in characters.

    Raises:
        NotFound: `evaluate.not_found`.
        InvalidInput: `evaluate.other_benchmark`.
    """
    with database.reading() as session:
        return _known(session, _pair(session, project_id, before, after)).comparison


def find_changes(
    database: Database,
    who: Actor,
    before: str,
    after: str,
    kind: ChangeKind = "broken",
    *,
    expert: str | None = None,
    most: int = MOST_SHOWN,
) -> ChangedQuestions:
    """The questions of a kind, with both answers and the accepted plan; by id.

    With an expert, those where the accepted plan or an answer calls it.

    Raises:
        NotFound: `evaluate.not_found`.
        InvalidInput: `evaluate.other_benchmark`.
    """
    who.require("reviewer")
    with database.reading() as session:
        pair = _pair(session, who.project_id, before, after)
        ids = _known(session, pair).became[kind]
        sides = [
            _Side(
                load_exam(session, row, ids),
                {each.question_id: each for each in access.list_answers(session, row.id, ids)},
            )
            for row in pair
        ]
    found = [_changed(number, sides) for number in range(len(ids))]
    names = sorted({name for each in found for name in _experts(each)})
    if expert is not None:
        found = [each for each in found if expert in _experts(each)]
    return ChangedQuestions(
        kind=kind, total=len(found), shown=tuple(found[:most]), experts=tuple(names)
    )


def find_confusion(
    database: Database, who: Actor, evaluation_id: str
) -> tuple[ConfusedExperts, ...]:
    """Which expert of the accepted plans went to which of the planner's, most frequent first.

    Raises:
        NotFound: `evaluate.not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        row = access.get_evaluation(session, who.project_id, evaluation_id)
        known = row.figures.get("confusion")
        if isinstance(known, list):
            listed = cast(list[dict[str, object]], known)
            return tuple(ConfusedExperts.model_validate(each) for each in listed)
        answers = access.list_answers(session, evaluation_id)
        exam = load_exam(session, row, [each.question_id for each in answers])
    return confusion_of(exam, answers)


class _Side(NamedTuple):
    """One evaluation's answers to some questions."""

    exam: Exam
    answers: dict[str, EvaluationAnswer]


def _pair(session: Session, project_id: str, before: str, after: str) -> list[Evaluation]:
    rows = [access.get_evaluation(session, project_id, each) for each in (before, after)]
    if rows[0].benchmark_id != rows[1].benchmark_id:
        raise InvalidInput("evaluate.other_benchmark")
    return rows


def _known(session: Session, pair: Sequence[Evaluation]) -> _Known:
    """What two evaluations come to; remembered once both are done, since they change no more."""
    key = tuple(f"{each.id} {each.scoring_hash} {each.figures}" for each in pair)
    found = _remembered.get(key)
    if found is None:
        found = _compared(session, pair)
        if all(each.state == "done" for each in pair):
            _remembered[key] = found
            while len(_remembered) > _REMEMBERED:
                _remembered.popitem(last=False)
    return found


def _compared(session: Session, pair: Sequence[Evaluation]) -> _Known:
    before, after = (access.read_scores(session, row.id) for row in pair)
    units = {str((row.terms or {}).get("length_unit", CHARACTERS)) for row in pair}
    found = figures.compare(
        before,
        after,
        access.count_steps(session, pair[0].benchmark_id),
        units.pop() if len(units) == 1 else CHARACTERS,
    )
    is_same = len({row.scoring_hash for row in pair}) == 1
    became: dict[ChangeKind, list[str]] = {kind: [] for kind in _KINDS.values()}
    for each in sorted(before.keys() & after.keys()):
        rights = (before[each].get(judging.RIGHT, 0.0), after[each].get(judging.RIGHT, 0.0))
        became[_KINDS[rights]].append(each)
    return _Known(found.model_copy(update={"is_same_scoring": is_same}), became)


def _changed(number: int, sides: Sequence[_Side]) -> ChangedQuestion:
    question = sides[0].exam.questions[number]
    return ChangedQuestion(
        question_id=question.id,
        question=question.text,
        gold=Plan.model_validate(question.plan),
        before=_read(sides[0], number),
        after=_read(sides[1], number),
    )


def _read(side: _Side, number: int) -> AnswerRead:
    question = side.exam.questions[number]
    answer = side.answers[question.id]
    scores = cast(dict[str, float], answer.scores)
    plan = judging.read_plan(answer.completion, side.exam.context(question))
    return AnswerRead(
        plan=None if plan is None else Plan.model_validate(plan),
        fault=judging.find_fault(scores, plan, question.plan),
        completion=answer.completion,
        think_length=scores.get(judging.THINK_LENGTH),
    )


def _experts(changed: ChangedQuestion) -> set[str]:
    plans = (changed.gold, changed.before.plan, changed.after.plan)
    return {step.expert for plan in plans if plan for step in plan.steps}


def _view(listed: Listed, answered: int, questions: int) -> EvaluationView:
    row, planner, benchmark, prompt = listed
    terms = None if row.terms is None else Terms.model_validate(row.terms)
    limit = questions if terms is None or terms.limit is None else terms.limit
    held = {name: row.figures[name] for name in Figures.model_fields if name in row.figures}
    return EvaluationView.model_validate(
        {
            "id": row.id,
            "planner": planner_view(planner),
            "benchmark": f"{benchmark.name}@{benchmark.version}",
            "state": row.state,
            "answered": answered,
            "asked": min(questions, limit),
            "figures": held if row.state == "done" else None,
            "reason": row.figures.get("reason"),
            "values": row.figures.get("values", {}),
            "prompt": f"{prompt.name}@{prompt.version}",
            "scoring_hash": row.scoring_hash,
            "is_current_scoring": row.scoring_hash == source_hash(),
            "terms": terms,
            "created_at": row.created_at,
        }
    )


def planner_view(row: Planner) -> PlannerView:
    """A planner as pages show it."""
    return PlannerView(
        id=row.id,
        name=row.name,
        checkpoint=Path(row.checkpoint).name if row.checkpoint else None,
        checkpoint_hash=row.checkpoint_hash,
        endpoint=row.endpoint,
        model=row.model,
        is_external=row.is_external,
        is_promoted=row.is_promoted,
        run_id=row.run_id,
        created_at=row.created_at,
    )
