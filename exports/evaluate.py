"""Evaluating a planner on a benchmark: what is not known is asked, kept, judged, and summed up.

An evaluation uses the project's current prompt and dialect and the list of its benchmark. Each
answer is a row as soon as it is there, known by a hash of all that was asked of whom: an
interrupted evaluation asks only what is missing, and nothing is ever asked twice of one checkpoint.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, cast

from pydantic import JsonValue

from db.access import evaluations as access
from db.access import training
from db.access.events import add_event
from db.engine import Database, Session, take_turns
from db.tables import BenchmarkQuestion, Evaluation, EvaluationAnswer, Planner
from exports import figures, judging
from exports.asking import Answer, Asking, Question, ask_all
from exports.exam import Exam, Messages, load_exam
from exports.thinking_units import Unit
from schemas.errors import InvalidInput, NotFound, PlanwrightError
from schemas.evaluation import ConfusedExperts, Figures, Terms
from schemas.expert_changes import expert_changes
from schemas.people import Actor
from schemas.project import ProjectSettings
from schemas.scoring.source import source_hash

CHUNK = 200
Reach = Callable[[], AbstractContextManager[Asking]]


class Manner(NamedTuple):
    """How a planner is to be asked: what an order, or a stage of a chain, decides."""

    max_tokens: int
    with_thinking: bool
    template: str | None = None
    limit: int | None = None
    is_anew: bool = False


def open_evaluation(
    database: Database,
    project_id: str,
    planner_id: str,
    benchmark: str | None,
    manner: Manner,
    *,
    unit: Unit,
    person_id: str | None = None,
) -> str:
    """The evaluation of a planner under the project's current prompt; its id.

    One of equal terms that was begun, or has questions that nobody answered, is gone on with; one
    that is complete is the answer.

    Raises:
        NotFound: `evaluate.benchmark_not_found`.
        InvalidInput: `evaluate.no_prompt`.
    """
    with database.transaction() as session:
        found = training.find_benchmark(session, project_id, benchmark)
        if found is None:
            raise NotFound("evaluate.benchmark_not_found", benchmark=benchmark or "")
        prompt, terms = _terms(session, project_id, manner, unit)
        take_turns(session, f"evaluations of {project_id}")
        alike = access.list_alike(session, planner_id, found.id, prompt)
        equal = [each for each in alike if _is_equal(each, terms)]
        if equal and not (terms.is_anew and equal[0].state == "done"):
            return _reopened(session, equal[0])
        row = Evaluation(
            project_id=project_id,
            planner_id=planner_id,
            benchmark_id=found.id,
            prompt_version_id=prompt,
            scoring_hash=source_hash(),
            terms=terms.model_dump(),
            created_by=person_id,
        )
        session.add(row)
        return row.id


def work_of(database: Database, evaluation_id: str) -> str | None:
    """The id of the work that is left of an evaluation; none where it is done.

    A second click is the same work. What is begun again after it ended is other work.
    """
    with database.reading() as session:
        row = session.get_one(Evaluation, evaluation_id)
    if row.state == "done":
        return None
    times = row.figures.get("reopened", 0)
    return f"evaluation-{evaluation_id}" + (f"-{times}" if times else "")


def run_evaluation(
    database: Database,
    evaluation_id: str,
    reach: Reach,
    unit: Unit,
    *,
    pause: Callable[[float], None] = lambda _: None,
) -> Figures:
    """Ask what is not known yet, judge, and write down the figures.

    `reach` opens the way to the planner, and is called only where something is missing. `pause` is
    called between answers; it may raise to leave.

    Raises:
        ModelServiceError: nobody answers at the endpoint; what was answered before is kept.
    """
    with database.reading() as session:
        row = session.get_one(Evaluation, evaluation_id)
        if row.state == "done":
            return Figures.model_validate(_figures_of(row))
        exam = load_exam(session, row)
        known = access.answered_ids(session, evaluation_id)
    missing = [each for each in exam.questions if each.id not in known]
    if not exam.terms.is_anew:
        missing = _take_known(database, exam, missing, unit, pause)
    if missing:
        with reach() as asking:
            _ask(database, exam, missing, asking, unit=unit, pause=pause)
    return _finish(database, exam)


def fail_evaluation(database: Database, evaluation_id: str, error: PlanwrightError) -> None:
    """Write down why an evaluation could not be finished; its answers are kept."""
    values = {name: str(value) for name, value in error.values.items()}
    with database.transaction() as session:
        row = session.get_one(Evaluation, evaluation_id)
        kept = {"reopened": row.figures.get("reopened", 0)}
        row.state, row.figures = "failed", {"reason": error.code, "values": values, **kept}
        session.add(row)


def external_planner(
    database: Database, who: Actor, url: str, model: str, key_env: str | None = None
) -> str:
    """The planner behind an endpoint and model name, marked external; its id.

    The name of the variable that holds its key is remembered, the key is not.
    """
    who.require("admin")
    with database.transaction() as session:
        row = training.find_external_planner(session, who.project_id, url, model)
        if row is None:
            row = Planner(
                project_id=who.project_id, name=model, endpoint=url, model=model, is_external=True
            )
            session.add(row)
            add_event(session, who, "planner", row.id, "added")
        if key_env is not None:
            row.key_env = key_env
        return row.id


def _terms(session: Session, project_id: str, manner: Manner, unit: Unit) -> tuple[str, Terms]:
    """The prompt to ask with, and the terms that make an evaluation what it is."""
    project = ProjectSettings.model_validate(training.get_project(session, project_id).settings)
    if project.current_prompt_version_id is None:
        raise InvalidInput("evaluate.no_prompt")
    terms = Terms(
        **manner._asdict(),
        dialect=project.dialect,
        window=project.window,
        length_unit=unit.name,
    )
    return project.current_prompt_version_id, terms


def _is_equal(row: Evaluation, terms: Terms) -> bool:
    return row.terms == terms.model_dump() and row.scoring_hash == source_hash()


def _reopened(session: Session, row: Evaluation) -> str:
    """Go on with an evaluation, questions without an answer included."""
    if access.forget_failed(session, row.id) or row.state == "failed":
        times = cast(int, row.figures.get("reopened", 0)) + 1
        row.state, row.figures = "running", {"reopened": times}
        session.add(row)
    return row.id


def _take_known(
    database: Database,
    exam: Exam,
    missing: Sequence[BenchmarkQuestion],
    unit: Unit,
    pause: Callable[[float], None],
) -> list[BenchmarkQuestion]:
    """Take over what the same checkpoint was asked before, judged anew; what is left to ask."""
    left: list[BenchmarkQuestion] = []
    for start in range(0, len(missing), CHUNK):
        pause(0)
        chunk = [(each, exam.messages(each)) for each in missing[start : start + CHUNK]]
        keys = {question.id: exam.request_key(messages) for question, messages in chunk}
        with database.reading() as session:
            found = access.known_answers(session, exam.project_id, list(keys.values()))
        judged: list[EvaluationAnswer] = []
        for question, messages in chunk:
            known = found.get(keys[question.id])
            if known is None:
                left.append(question)
                continue
            is_cut_off = judging.CUT_OFF in known.scores
            answer = Answer(question.id, known.completion, is_cut_off)
            judged.append(_judged(exam, question, messages, answer, unit))
        _keep(database, exam, judged)
    return left


def _ask(
    database: Database,
    exam: Exam,
    missing: Sequence[BenchmarkQuestion],
    asking: Asking,
    *,
    unit: Unit,
    pause: Callable[[float], None],
) -> None:
    by_id = {each.id: each for each in missing}

    def questions() -> Iterator[Question]:
        for each in missing:
            yield Question(each.id, exam.messages(each))

    for answer in ask_all(asking, questions()):
        question = by_id[answer.question_id]
        judged = _judged(exam, question, exam.messages(question), answer, unit)
        _keep(database, exam, [judged])
        pause(0)


def _keep(database: Database, exam: Exam, judged: Sequence[EvaluationAnswer]) -> None:
    """Write answers down; what another process has answered meanwhile stays as it is."""
    if not judged:
        return
    with database.transaction() as session:
        take_turns(session, f"answers of {exam.evaluation_id}")
        among = [each.question_id for each in judged]
        known = access.answered_ids(session, exam.evaluation_id, among)
        session.add_all([each for each in judged if each.question_id not in known])


def _judged(
    exam: Exam, question: BenchmarkQuestion, messages: Messages, answer: Answer, unit: Unit
) -> EvaluationAnswer:
    scores: dict[str, float] = {}
    if answer.problem:
        scores[judging.FAILED] = 1.0
    else:
        context = exam.context(question, messages[0]["content"])
        scores |= judging.judge(
            answer.completion, context, expert_list=exam.expert_list, count_tokens=unit.tokens_of
        )
    if answer.is_cut_off:
        scores |= {judging.CUT_OFF: 1.0, judging.RIGHT: 0.0}
    return EvaluationAnswer(
        evaluation_id=exam.evaluation_id,
        question_id=question.id,
        project_id=exam.project_id,
        request_key=None if answer.problem else exam.request_key(messages),
        completion=answer.problem or answer.completion,
        scores=dict(scores),
    )


def _finish(database: Database, exam: Exam) -> Figures:
    asked = {each.id: each for each in exam.questions}
    with database.reading() as session:
        answers = access.list_answers(session, exam.evaluation_id)
    answers = [each for each in answers if each.question_id in asked]
    scores = [cast(Mapping[str, float], each.scores) for each in answers]
    found = figures.figures(scores, len(asked), exam.terms.length_unit)
    confused = confusion_of(exam, answers)
    with database.transaction() as session:
        row = session.get_one(Evaluation, exam.evaluation_id)
        row.figures = {
            **found.model_dump(mode="json"),
            "reopened": row.figures.get("reopened", 0),
            "confusion": [each.model_dump(mode="json") for each in confused],
        }
        row.state = "done"
        session.add(row)
    return found


def confusion_of(exam: Exam, answers: Sequence[EvaluationAnswer]) -> tuple[ConfusedExperts, ...]:
    """Which expert of the accepted plans went to which of the planner's, the most frequent first.

    Over the answers with a valid plan.
    """
    asked = {each.id: each for each in exam.questions}
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for answer in answers:
        question = asked[answer.question_id]
        plan = judging.read_plan(answer.completion, exam.context(question))
        if plan is not None:
            pairs = expert_changes(plan, question.plan)
            counts.update((pair.human, pair.model) for pair in pairs)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return tuple(
        ConfusedExperts(gold=gold, answered=answered, count=count)
        for (gold, answered), count in ranked
    )


def _figures_of(row: Evaluation) -> dict[str, JsonValue]:
    """What an evaluation's row says of its figures, without what stands beside them."""
    return {
        name: cast(JsonValue, value)
        for name, value in row.figures.items()
        if name in Figures.model_fields
    }
