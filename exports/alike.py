"""From a wrong answer back to annotation, without the question itself.

A question of a benchmark is there to evaluate and never to train; labelled, it could go into no
bundle, and a planner that learned from it would be measured by what it has seen. What may be
labelled are the project's own queries that are most like it and that the leak guard does not know:
they wait first, in a batch of the planner's name.
"""

from heapq import nlargest

from db.access import evaluations as access
from db.access.queries import list_unlabelled
from db.engine import Database
from db.tables import Benchmark, BenchmarkQuestion, Planner
from labeling.duplicates import load_guard
from labeling.ranking import set_priority
from labeling.work_batches import add_to_batch, create_batch, list_batches, reopen_batch
from schemas.clusters import normalised
from schemas.errors import NotFound
from schemas.evaluation import AlikeQuery, SentToAnnotation
from schemas.likeness import grams_of
from schemas.people import Actor
from schemas.queries import QueryChoice

MOST = 5
LEAST_LIKENESS = 0.15
FIRST = 10
_LOOKED_AT = 20_000
_CANDIDATES = 40


def send_alike(
    database: Database, who: Actor, evaluation_id: str, question_id: str, *, most: int = MOST
) -> SentToAnnotation:
    """Bring the queries forward that are most like a question and wait to be labelled.

    Raises:
        NotFound: `evaluate.not_found`, `evaluate.question_not_found`, `evaluate.nothing_alike`.
    """
    who.require("admin")
    with database.reading() as session:
        row = access.get_evaluation(session, who.project_id, evaluation_id)
        question = session.get(BenchmarkQuestion, question_id)
        if question is None or question.benchmark_id != row.benchmark_id:
            raise NotFound("evaluate.question_not_found", question=question_id)
        benchmark = session.get_one(Benchmark, row.benchmark_id)
        name = f"{session.get_one(Planner, row.planner_id).name} · {benchmark.name}"
    found = find_alike(database, who, question.text, most=most)
    if not found:
        raise NotFound("evaluate.nothing_alike")
    chosen = QueryChoice(ids=tuple(each.query_id for each in found))
    filled = _fill(database, who, name[:80], chosen)
    set_priority(database, who, chosen, FIRST)
    return SentToAnnotation(batch=name[:80], labels=filled, queries=found)


def find_alike(
    database: Database, who: Actor, text: str, *, most: int = MOST
) -> tuple[AlikeQuery, ...]:
    """Queries of the project that wait to be labelled and are no benchmark's, most alike first.

    Likeness is Dice's coefficient over the grams of the normalised texts, as the leak guard has it.
    """
    wanted = grams_of(normalised(text))
    with database.reading() as session:
        waiting = list_unlabelled(session, who.project_id, _LOOKED_AT)
    ranked = nlargest(
        _CANDIDATES, ((_dice(wanted, each.text), each.id, each.text) for each in waiting)
    )
    guard = load_guard(database, who)
    found: list[AlikeQuery] = []
    for likeness, query_id, said in ranked:
        if likeness < LEAST_LIKENESS or len(found) == most:
            break
        if guard.find_leak(said) is None:
            found.append(AlikeQuery(query_id=query_id, text=said, likeness=likeness))
    return tuple(found)


def _dice(wanted: set[str], text: str) -> float:
    grams = grams_of(normalised(text))
    total = len(wanted) + len(grams)
    return 2 * len(wanted & grams) / total if total else 0.0


def _fill(database: Database, who: Actor, name: str, chosen: QueryChoice) -> int:
    known = next((each for each in list_batches(database, who) if each.name == name), None)
    if known is None:
        return create_batch(database, who, name, chosen).taken_in
    if known.closed_at is not None:
        reopen_batch(database, who, known.id)
    return add_to_batch(database, who, known.id, chosen).taken_in
