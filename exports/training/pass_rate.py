"""How often the planner is right on its GRPO prompts before GRPO begins: worth a night, or not.

Some prompts of the bundle are asked several times, at the temperature and length of the rollouts to
come, of a server with the checkpoint that GRPO begins from. Judged are the completions by the same
functions as the rewards.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import JsonValue

from db.access import training
from db.tables import Run
from exports.asking import Asking, Question, ask_all
from exports.judging import RIGHT, judge
from exports.training.bundle_lines import messages_of
from exports.training.evaluation import served_run
from exports.training.probing import sample_rows
from exports.training.recipes import reward_weights
from exports.training.serve import serving
from exports.training.stages import Job, Outcome
from exports.training.waiting import devices_for
from schemas.pass_rate import Completion, PassRate, pass_rate
from schemas.scoring.context import context_from_row
from schemas.scoring.rewards import weighted_total
from schemas.training import TRAINED, Stage
from schemas.training_gates import missed_flat_gate

Row = dict[str, Any]
STAGE: Stage = "pass_rate"


def pass_rate_stage(job: Job) -> Outcome:
    """Ask, judge, and stop before GRPO where a gate says so."""
    run = _run_before(job)
    if run is None or run.checkpoint is None:
        return Outcome("skipped", "training.nothing_to_sample")
    found = _known(job)
    if found is None:
        rows = sample_rows(job.bundle / "grpo.jsonl", job.recipe.pass_rate.prompts).rows
        if not rows:
            return Outcome("skipped", "training.nothing_to_sample")
        found = pass_rate(_groups(job, run, rows))
    figures: dict[str, JsonValue] = {"figures": found.model_dump(mode="json")}
    values = _values(found)
    missed = missed_flat_gate(job.order.gates, found.flat)
    if missed is not None:
        return Outcome("failed", missed.code, {**values, **missed.values}, figures)
    return Outcome("succeeded", "training.pass_rate", values, figures)


def _known(job: Job) -> PassRate | None:
    """What was found before a person passed the gate."""
    with job.database.reading() as session:
        report = training.get_chain(session, None, job.chain_id).report
    figures = training.stage_report(report, STAGE).get("figures")
    return PassRate.model_validate(figures) if figures else None


def _run_before(job: Job) -> Run | None:
    """The last training of this chain before GRPO."""
    with job.database.reading() as session:
        runs = [training.find_run(session, job.chain_id, each) for each in TRAINED[:-1]]
    return next((run for run in reversed(runs) if run and run.checkpoint), None)


def _groups(job: Job, run: Run, rows: Iterable[Row]) -> dict[str, list[Completion]]:
    """Completions by prompt; a call that failed is none."""
    weights = reward_weights(
        job.order.weights or job.terms.get("weights"), with_thinking=job.with_thinking
    )
    by_id = {str(row["plan_id"]): row for row in rows}
    groups: dict[str, list[Completion]] = {plan_id: [] for plan_id in by_id}
    with _reached(job, run) as asking:
        for answer in ask_all(asking, _questions(by_id, job.recipe.pass_rate.completions)):
            if answer.problem is not None:
                continue
            plan_id = answer.question_id.partition("#")[0]
            scores = judge(answer.completion, context_from_row(by_id[plan_id]))
            total = weighted_total(scores, weights)
            groups[plan_id].append(Completion(bool(scores[RIGHT]), total, answer.is_cut_off))
            job.pause(0)
    return groups


def _questions(by_id: dict[str, Row], times: int) -> Iterator[Question]:
    for number in range(times):
        for plan_id, row in by_id.items():
            yield Question(f"{plan_id}#{number}", messages_of(row))


@contextmanager
def _reached(job: Job, run: Run) -> Generator[Asking]:
    """The checkpoint behind an endpoint, asked as GRPO will sample it."""
    arguments = job.arguments("grpo")
    folder = job.settings.home / "runs" / f"sampling-{run.id}"
    served = served_run(job, run)
    with (
        devices_for(job, STAGE, folder) as devices,
        serving(job.settings, folder, served, job.pause, devices=devices) as endpoint,
    ):
        yield Asking(
            url=endpoint.url,
            key=endpoint.key,
            model=endpoint.model,
            max_tokens=int(arguments["max_completion_length"]),
            with_thinking=job.with_thinking,
            template=str(arguments["template"]),
            temperature=float(arguments["temperature"]),
        )


def _values(found: PassRate) -> dict[str, JsonValue]:
    shares = ("right", "always", "never", "flat", "cut_off")
    return {
        "prompts": found.prompts,
        "completions": found.completions,
        **{name: f"{getattr(found, name) * 100:.0f}" for name in shares},
    }
