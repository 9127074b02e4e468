"""The reward bench: what the rewards of a bundle do, before a device minute is spent.

Rows of `grpo.jsonl` are scored by the bundle's own plugin in the trainer's interpreter: stored
answers of models, gaming probes, and plans that people took or did not take.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from db.access import exports as access
from db.engine import Database
from db.tables.base import now
from exports.formats import RowForm
from exports.reward_cases import CaseLine, find_cases
from exports.scoring_files import FOLDER
from exports.shelf import bundle_folder, get_bundle, require_ready
from exports.training.ask import ask_trainer
from exports.training.probing import (
    Line,
    ProbedLine,
    Scores,
    bench_request,
    judged,
    probe_lines,
    sample_rows,
    to_scores,
    total_of,
)
from exports.training.recipes import get_recipe, reward_weights
from exports.training.verify import read_manifest
from schemas.dialects import render_plain_answer, render_thinking
from schemas.errors import InvalidInput, TrainingError
from schemas.parts import SuggestionPart
from schemas.people import Actor
from schemas.project import REWARDS
from schemas.reward_bench import (
    QUESTIONS,
    READS_GOLD,
    TOTAL,
    Agreement,
    BenchTerms,
    Question,
    RewardBench,
    RewardFigure,
    Scaling,
)
from schemas.reward_judgement import (
    Corrected,
    Judged,
    agreement_of,
    agreement_within,
    figure_of,
    forecast,
)
from schemas.scoring.context import context_from_row
from schemas.settings import Settings

ORIGINS = ("model", "import")
"""Of suggestions that a model wrote for the query as it is now."""


class _Ground(NamedTuple):
    """What the project knows of a bundle's rows."""

    suggestions: Mapping[str, Sequence[SuggestionPart]]
    cases: Sequence[CaseLine]


class _Target(NamedTuple):
    """What is benched, and under which terms."""

    folder: Path
    name: str
    bundle_id: str | None
    rewards: tuple[str, ...]
    weights: dict[str, float]
    scaling: Scaling
    group: int


def bench_bundle(
    database: Database, settings: Settings, who: Actor, reference: str, terms: BenchTerms
) -> RewardBench:
    """Bench a bundle of the project, with what its people decided; seconds to a minute.

    Raises:
        NotFound: `export.bundle_not_found`.
        TransitionRefused: `export.bundle_not_ready`.
        InvalidInput: there is no row of GRPO, or no weight.
        TrainingError: the trainer cannot be asked, or the plugin breaks.
    """
    bundle = get_bundle(database, who, reference)
    require_ready(bundle, who)
    recipe = bundle.recipe.model_dump(mode="json")
    target = _target(bundle_folder(settings, bundle), recipe, terms, bundle.name, bundle.bundle_id)
    sample = _sampled(target, terms)
    ids = sorted({str(row["plan_id"]) for row in sample.rows})
    with database.reading() as session:
        ground = _Ground(
            access.list_suggestions(session, who.project_id, ids),
            find_cases(session, who.project_id, RowForm.of(bundle.recipe)),
        )
    return _bench(settings, target, sample, ground)


def own_terms(database: Database, who: Actor, reference: str) -> BenchTerms:
    """The terms that a bundle comes with: its recipe's weights, its training recipe's groups.

    Raises:
        NotFound: `export.bundle_not_found`.
    """
    bundle = get_bundle(database, who, reference)
    recipe, folder = bundle.recipe.model_dump(mode="json"), Path(bundle.folder)
    target = _target(folder, recipe, BenchTerms(), bundle.name, bundle.bundle_id)
    return BenchTerms(weights=target.weights, scaling=target.scaling, group=target.group)


def bench_folder(settings: Settings, folder: Path, terms: BenchTerms) -> RewardBench:
    """Bench a bundle's folder by itself: there are no people and no models to compare with.

    Raises:
        InvalidInput: there is no row of GRPO, or no weight.
        TrainingError: the trainer cannot be asked, or the plugin breaks.
    """
    recipe = read_manifest(folder).get("recipe", {})
    target = _target(folder, recipe, terms, folder.name, None)
    return _bench(settings, target, _sampled(target, terms), _Ground({}, ()))


def _target(
    folder: Path, recipe: Mapping[str, Any], terms: BenchTerms, name: str, bundle_id: str | None
) -> _Target:
    with_thinking = bool(recipe.get("with_thinking", True))
    weights = reward_weights(terms.weights or recipe.get("weights"), with_thinking=with_thinking)
    if not weights:
        raise InvalidInput("rewards.bench_no_weight")
    training = get_recipe(str(recipe.get("training", "cpu-smoke"))).grpo
    return _Target(
        folder,
        name,
        bundle_id,
        tuple(each for each in REWARDS if with_thinking or not each.startswith("Think")),
        weights,
        terms.scaling or training.get("scale_rewards", "group"),
        terms.group or int(training["num_generations"]),
    )


class _Sampled(NamedTuple):
    """The rows that are looked at, and the probes of those that have a plan to probe with."""

    rows: tuple[dict[str, Any], ...]
    total: int
    probes: list[ProbedLine]


def _sampled(target: _Target, terms: BenchTerms) -> _Sampled:
    path = target.folder / "grpo.jsonl"
    rows, total = sample_rows(path, terms.rows) if path.is_file() else ((), 0)
    try:
        probes = probe_lines(rows)
    except (ValueError, KeyError) as error:
        raise InvalidInput("rewards.bench_no_rows", name=target.name) from error
    if not probes:
        raise InvalidInput("rewards.bench_no_rows", name=target.name)
    return _Sampled(rows, total, probes)


def _bench(settings: Settings, target: _Target, sample: _Sampled, ground: _Ground) -> RewardBench:
    answers = list(_answer_lines(sample.rows, ground.suggestions))
    probes = [each.line for each in sample.probes]
    lines = [*answers, *probes, *(each.line for each in ground.cases)]
    request = bench_request(target.folder, target.rewards, lines)
    said = ask_trainer(settings, bench=request)["bench"]
    if said.get("error"):
        raise TrainingError("training.plugin_broken", line=said["error"])
    scores = to_scores(said, target.rewards)
    of_answers, rest = scores[: len(answers)], scores[len(answers) :]
    of_probes, of_cases = rest[: len(probes)], rest[len(probes) :]
    held = of_answers or [
        [each for each, probe in zip(of_row, line.probed, strict=True) if probe.probe is None]
        for of_row, line in zip(of_probes, sample.probes, strict=True)
    ]
    return RewardBench(
        bundle_id=target.bundle_id,
        name=target.name,
        measured_at=now(),
        scoring_hash=_scoring_hash(target.folder),
        weights=target.weights,
        scaling=target.scaling,
        rows=sample.total,
        used=len(sample.rows),
        answers=sum(map(len, of_answers)),
        figures=tuple(_figures(target, held, said["alone"])),
        per_second=said["per_second"],
        agreement=tuple(_agreement(target, ground.cases, of_cases)),
        verdicts=len(ground.cases),
        independent=sum(each.case.gold is not None for each in ground.cases),
        probes=judged(sample.probes, of_probes, target.weights),
        forecast=forecast(of_answers, target.weights, target.group),
    )


def _answer_lines(
    rows: Sequence[Mapping[str, Any]], suggestions: Mapping[str, Sequence[SuggestionPart]]
) -> list[Line]:
    """The stored answers of models to each query, in the form of its row; each query once."""
    lines: dict[str, Line] = {}
    for row in rows:
        context = context_from_row(row)
        completions = [
            text
            for each in suggestions.get(str(row["plan_id"]), ())
            if each.origin in ORIGINS
            and (text := _completion(each, context.dialect, thinks=context.with_thinking))
        ]
        if completions and row["plan_id"] not in lines:
            lines[row["plan_id"]] = Line(dict(row), tuple(completions))
    return list(lines.values())


def _completion(each: SuggestionPart, dialect: str, *, thinks: bool) -> str | None:
    """A model's answer as the bundle writes it; one without a plan stays without an answer.

    Nothing of an answer without thinking where the row thinks: it was written for another form.
    """
    if thinks and not each.trace:
        return None
    if each.plan is None:
        return render_thinking(each.trace or "") if thinks else "…"
    return render_plain_answer(orjson.loads(each.plan), dialect, each.trace if thinks else None)


def _figures(
    target: _Target, scores: Sequence[Sequence[Scores]], alone: Mapping[str, float]
) -> list[RewardFigure]:
    each = [completion for line in scores for completion in line]
    figures = [
        figure_of(name, [scores[name] for scores in each], alone.get(name))
        for name in target.rewards
    ]
    totals = [total_of(scores, target.weights) for scores in each]
    return [*figures, figure_of(TOTAL, totals, None)]


def _agreement(
    target: _Target, cases: Sequence[CaseLine], scores: Sequence[Sequence[Scores]]
) -> list[Agreement]:
    """Every reward on every question; those that read the accepted plan on independent cases."""
    found: list[Agreement] = []
    scored = list(zip(cases, scores, strict=True))
    for question in QUESTIONS:
        asked = [(each, of) for each, of in scored if each.case.question == question]
        for reward in (*target.rewards, TOTAL):
            needs_gold = reward in READS_GOLD or reward == TOTAL
            fair = [(each, of) for each, of in asked if each.case.gold or not needs_gold]
            found.append(_agrees(question, reward, fair, target.weights))
    return found


def _agrees(
    question: Question,
    reward: str,
    cases: Sequence[tuple[CaseLine, Sequence[Scores]]],
    weights: Mapping[str, float],
) -> Agreement:
    def value(scores: Scores) -> float:
        return total_of(scores, weights) if reward == TOTAL else scores[reward]

    ids = [each.case.query_id for each, _ in cases]
    values = [[value(each) for each in of] for _, of in cases]
    is_good = [each.case.is_good for each, _ in cases]
    if question == "corrections":
        agreed = agreement_within(
            [Corrected(query_id, *of) for query_id, of in zip(ids, values, strict=True)]
        )
    else:
        agreed = agreement_of(
            [
                Judged(query_id, good, of[0])
                for query_id, good, of in zip(ids, is_good, values, strict=True)
            ]
        )
    good = sum(is_good)
    bad = len(cases) if question == "corrections" else len(cases) - good
    return Agreement(question=question, reward=reward, good=good, bad=bad, **agreed._asdict())


def _scoring_hash(folder: Path) -> str:
    """SHA-256 over the scoring modules of the bundle, as `schemas.scoring.source` reckons it."""
    digest = hashlib.sha256()
    for path in sorted((folder / FOLDER).glob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
