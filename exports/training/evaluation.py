"""The evaluations of a chain: its checkpoints served, asked the benchmark, and compared."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from db.access import training
from db.tables import Run
from exports.asking import Asking
from exports.evaluate import Manner, open_evaluation, run_evaluation
from exports.evaluations import compare_evaluations
from exports.thinking_units import find_unit
from exports.training.planners import planner_of_run
from exports.training.recipes import get_recipe
from exports.training.run_config import run_config
from exports.training.serve import Served, serving
from exports.training.stages import Job, Outcome
from exports.training.waiting import devices_for
from schemas.settings import Settings
from schemas.training import TRAINED, Stage
from schemas.training_gates import missed_accuracy_gate
from schemas.training_stages import trained_by


def evaluate_stage(job: Job, stage: Stage) -> Outcome:
    """The short evaluation of what a training ended with."""
    with job.database.reading() as session:
        run = training.find_run(session, job.chain_id, trained_by(stage))
        benchmark = training.find_benchmark(session, job.project_id, job.order.benchmark)
        report = training.stage_report(
            training.get_chain(session, None, job.chain_id).report, stage
        )
    if run is None or run.checkpoint is None:
        return Outcome("skipped", "training.nothing_to_evaluate")
    if benchmark is None:
        return Outcome("skipped", "training.no_benchmark")
    manner = _manner(job, run)
    evaluation_id = report.get("evaluation_id")
    if not isinstance(evaluation_id, str):
        evaluation_id = open_evaluation(
            job.database,
            job.project_id,
            planner_of_run(job.database, run),
            f"{benchmark.name}@{benchmark.version}",
            manner,
            unit=find_unit(job.settings.tokenizer),
            person_id=job.person_id,
        )
        job.tell(stage, evaluation_id=evaluation_id)
    outcome = _ask(job, stage, run, evaluation_id, manner)
    return outcome if stage == "evaluate_grpo" else _before_grpo(job, outcome)


def _before_grpo(job: Job, outcome: Outcome) -> Outcome:
    """What came of an evaluation, or that it is below what is asked for before GRPO."""
    if "grpo" not in job.order.stages:
        return outcome
    accuracy = cast(dict[str, float], outcome.found["figures"])["accuracy"]
    missed = missed_accuracy_gate(job.order.gates, accuracy)
    if missed is None:
        return outcome
    return outcome._replace(
        state="failed", reason=missed.code, values={**outcome.values, **missed.values}
    )


def compare_stages(job: Job) -> Outcome:
    """What the last training changed after the first, question by question."""
    with job.database.reading() as session:
        report = training.get_chain(session, None, job.chain_id).report
    ids = [
        training.stage_report(report, stage).get("evaluation_id")
        for stage in (f"evaluate_{each}" for each in TRAINED)
    ]
    known = [each for each in ids if isinstance(each, str)]
    if len(known) < 2:
        return Outcome("skipped", "training.nothing_to_compare")
    compared = compare_evaluations(job.database, job.project_id, known[0], known[-1])
    values: dict[str, JsonValue] = {
        "before": f"{compared.before.accuracy * 100:.1f}",
        "after": f"{compared.after.accuracy * 100:.1f}",
        "mended": compared.mended,
        "broken": compared.broken,
    }
    found: dict[str, JsonValue] = {"figures": compared.model_dump(mode="json")}
    return Outcome("succeeded", "training.compared", values, found)


def _manner(job: Job, run: Run) -> Manner:
    terms = job.recipe.evaluation
    return Manner(
        max_tokens=terms.max_tokens,
        with_thinking=job.with_thinking,
        template=str(get_recipe(run.recipe).sft["template"]),
        limit=job.order.evaluation_limit or terms.limit,
    )


def _ask(job: Job, stage: Stage, run: Run, evaluation_id: str, manner: Manner) -> Outcome:
    @contextmanager
    def reach() -> Generator[Asking]:
        served = served_run(job, run)
        folder = serving_folder(job.settings, evaluation_id)
        with (
            devices_for(job, stage, folder) as devices,
            serving(job.settings, folder, served, job.pause, devices=devices) as endpoint,
        ):
            yield Asking(
                url=endpoint.url,
                key=endpoint.key,
                model=endpoint.model,
                max_tokens=manner.max_tokens,
                with_thinking=manner.with_thinking,
                template=manner.template,
            )

    unit = find_unit(job.settings.tokenizer)
    found = run_evaluation(job.database, evaluation_id, reach, unit, pause=job.pause)
    values: dict[str, JsonValue] = {
        "questions": found.questions,
        "right": found.right,
        "accuracy": f"{found.accuracy * 100:.1f}",
        "low": f"{found.accuracy_low * 100:.1f}",
        "high": f"{found.accuracy_high * 100:.1f}",
    }
    return Outcome(
        "succeeded", "training.evaluated", values, {"figures": found.model_dump(mode="json")}
    )


def served_run(job: Job, run: Run) -> Served:
    """What a run ended with; an adapter goes on the model that its own run began from."""
    base = run_config(job.settings.home / run.folder).get("model") or job.model()
    return Served(str(run.checkpoint), str(base), job.with_thinking, job.recipe.devices == 0)


def serving_folder(settings: Settings, evaluation_id: str) -> Path:
    """Where the server of an evaluation keeps its log."""
    return settings.home / "runs" / f"serving-{evaluation_id}"
