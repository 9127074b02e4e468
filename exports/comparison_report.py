"""A comparison of two planners as a file: Markdown to read, CSV to go on with."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from db.engine import Database
from exports.evaluations import compare_evaluations, find_changes, list_evaluations
from schemas.errors import NotFound
from schemas.evaluation import (
    AnswerRead,
    ChangedQuestion,
    ChangedQuestions,
    ChangeKind,
    Comparison,
    Difference,
    EvaluationView,
    Figures,
)
from schemas.intervals import wilson
from schemas.people import Actor
from schemas.plan import Plan
from schemas.sentences import Language, sentence

MOST = 100_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Say = Callable[..., str]


def comparison_markdown(
    database: Database,
    who: Actor,
    before: str,
    after: str,
    language: Language,
    *,
    most: int = MOST,
) -> str:
    """The article's table, the differences with their intervals, and the regressions.

    Raises:
        NotFound: `evaluate.not_found`.
        InvalidInput: `evaluate.other_benchmark`.
    """
    pair = _pair(database, who, before, after)
    found = compare_evaluations(database, who.project_id, before, after)
    broken = find_changes(database, who, before, after, "broken", most=most)

    def say(name: str, **values: object) -> str:
        return sentence(f"evaluate.{name}", values, language)

    names = [each.planner.name for each in pair]
    lines = [
        f"# {say('report_title', before=names[0], after=names[1])}",
        "",
        say("report_of", benchmark=pair[0].benchmark, questions=found.before.questions),
        *(f"- {_identity(each, say)}" for each in pair),
        "",
        *_models(found, names, say),
        "",
        *_differences(found, names, say),
        "",
        say("report_mcnemar", mended=found.mended, broken=found.broken, p=f"{found.p_value:.3g}"),
        "",
        *_by_steps(found, names, say),
        "",
        *_regressions(broken, names, say),
    ]
    return "\n".join(lines).rstrip() + "\n"


def comparison_csv(database: Database, who: Actor, before: str, after: str) -> str:
    """A line for each question that both answered: what became of it, and both answers.

    Cells that a spreadsheet would take for a formula are made plain text.

    Raises:
        NotFound: `evaluate.not_found`.
        InvalidInput: `evaluate.other_benchmark`.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    sides = [f"{side}{part}" for side in ("before", "after") for part in ("", "_fault", "_length")]
    writer.writerow(["question_id", "question", "became", "gold", *sides])
    kinds: tuple[ChangeKind, ...] = ("broken", "mended", "wrong", "right")
    for kind in kinds:
        found = find_changes(database, who, before, after, kind, most=MOST)
        for each in found.shown:
            writer.writerow([_plain(cell) for cell in _cells(kind, each)])
    return out.getvalue()


def planners_table(found: Sequence[EvaluationView], language: Language) -> list[str]:
    """The article's table in Markdown: a row for each planner of an evaluation that is done."""

    def say(name: str, **values: object) -> str:
        return sentence(f"evaluate.{name}", values, language)

    return _table([each.planner.name for each in found], [each.figures for each in found], say)


def _pair(database: Database, who: Actor, before: str, after: str) -> list[EvaluationView]:
    known = {each.id: each for each in list_evaluations(database, who)}
    for each in (before, after):
        if each not in known:
            raise NotFound("evaluate.not_found", evaluation=each)
    return [known[before], known[after]]


def _identity(found: EvaluationView, say: Say) -> str:
    planner = found.planner
    who = planner.checkpoint_hash or f"{planner.endpoint} · {planner.model}"
    values = {"planner": planner.name, "identity": who, "prompt": found.prompt}
    return say("report_planner", **values, scoring=found.scoring_hash[:16])


def _models(found: Comparison, names: Sequence[str], say: Say) -> list[str]:
    return _table(names, [found.before, found.after], say)


def _table(names: Sequence[str], figures: Iterable[Figures | None], say: Say) -> list[str]:
    heads = ["planner", "accuracy", "valid_json", "expert_f1", "order", "think_length"]
    heads += ["think_length_median", "think_length_p95", "cut_off"]
    lines = ["| " + " | ".join(say(f"figure_{name}") for name in heads) + " |"]
    lines.append("|" + "---|" * len(heads))
    for name, held in zip(names, figures, strict=True):
        if held is not None:
            lines.append("| " + " | ".join([_cell(name), *_row(held)]) + " |")
    return lines


def _row(held: Figures) -> list[str]:
    reach = f"{held.accuracy_low:.1%} – {held.accuracy_high:.1%}"
    length = "–"
    if held.think_length_mean is not None and held.think_length_std is not None:
        length = f"{held.think_length_mean:,.2f} ± {held.think_length_std:,.2f}"
    median, p95 = held.think_length_median, held.think_length_p95
    return [
        f"{held.accuracy:.1%} ({reach})",
        f"{held.valid_json:.1%}",
        "–" if held.expert_f1 is None else f"{held.expert_f1:.1%}",
        "–" if held.order is None else f"{held.order:.1%}",
        length,
        "–" if median is None else f"{median:,.0f}",
        "–" if p95 is None else f"{p95:,.0f}",
        f"{held.cut_off:,}",
    ]


def _differences(found: Comparison, names: Sequence[str], say: Say) -> list[str]:
    heads = [say("report_figure"), *map(_cell, names), say("report_change"), say("report_interval")]
    lines = ["| " + " | ".join([*heads, say("report_pairs")]) + " |", "|" + "---|" * 6]
    for each in found.differences:
        cells = [say(f"figure_{each.name}"), *_told(each), f"{each.questions:,}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _told(each: Difference) -> list[str]:
    values = (each.before, each.after, each.change, each.low, each.high)
    before, after, change, low, high = (f"{value:.4f}" for value in values)
    return [before, after, change, f"[{low}, {high}]"]


def _by_steps(found: Comparison, names: Sequence[str], say: Say) -> list[str]:
    lines = ["| " + " | ".join([say("report_steps"), say("report_questions"), *map(_cell, names)])]
    lines = [f"{lines[0]} |", "|---|---|---|---|"]
    for each in found.by_steps:
        steps = f"{each.steps}+" if each.is_or_more else f"{each.steps}"
        shares: list[str] = []
        for right in (each.right_before, each.right_after):
            low, high = wilson(right, each.questions)
            shares.append(f"{right / each.questions:.1%} ({low:.1%} – {high:.1%})")
        lines.append("| " + " | ".join([steps, f"{each.questions:,}", *shares]) + " |")
    return lines


def _regressions(found: ChangedQuestions, names: Sequence[str], say: Say) -> list[str]:
    lines = [f"## {say('report_regressions', count=found.total)}"]
    for each in found.shown:
        sides = zip(names, (each.before, each.after), strict=True)
        lines += [
            "",
            f"**{_cell(each.question)}**",
            "",
            f"- {say('report_gold')}: {_cell(_plan(each.gold))}",
            *(f"- {_cell(name)}: {_side(side, say)}" for name, side in sides),
        ]
    return lines


def _cells(kind: str, each: ChangedQuestion) -> list[str]:
    cells = [each.question_id, each.question, kind, _plan(each.gold)]
    for side in (each.before, each.after):
        length = "" if side.think_length is None else f"{side.think_length:g}"
        cells += [_plan(side.plan), side.fault or "", length]
    return cells


def _plan(plan: Plan | None) -> str:
    """`1 A + B; 2 C`: the experts of each stage."""
    if plan is None:
        return ""
    stages: dict[int, list[str]] = {}
    for step in plan.steps:
        stages.setdefault(step.order, []).append(step.expert)
    told = "; ".join(f"{order} {' + '.join(names)}" for order, names in sorted(stages.items()))
    return told or "–"


def _side(side: AnswerRead, say: Say) -> str:
    told = say(f"fault_{side.fault or 'none'}")
    return f"{_cell(_plan(side.plan))} ({told})" if side.plan else told


def _cell(text: str) -> str:
    """A text that cannot leave its cell, nor become markup."""
    flat = " ".join(text.split())
    for mark in ("\\", "|", "<", "*", "_", "[", "`"):
        flat = flat.replace(mark, f"\\{mark}")
    return flat


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
