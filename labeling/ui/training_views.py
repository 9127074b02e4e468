"""How a chain of training is drawn: stages, checks, alarms."""

from exports.training.recipes import TrainingRecipe
from labeling.ui.i18n import Words, moment
from labeling.ui.run_views import alarms_view
from labeling.ui.view import Node, card, facts, node, pill
from schemas.training import ChainSummary, ChainView, Check, StageView

_STATES = {
    "succeeded": "ok",
    "failed": "bad",
    "stopped": "warn",
    "stopping": "warn",
    "waiting": "quiet",
    "queued": "warn",
    "off": "quiet",
    "skipped": "quiet",
}
_ALL_PASSED = "training.checks_passed"


def recipe_view(recipe: TrainingRecipe, words: Words) -> Node:
    """What a recipe is for."""
    told = words.sentence(f"training.recipe_{recipe.name.replace('-', '_')}", {})
    lines = [node("p", told, cls="pw-mute")]
    for variant in recipe.variants:
        lines.append(node("p", words.sentence(variant.code, {}), cls="pw-mute"))
        if variant.beside:
            command = variant.beside.format(model=recipe.grpo["model"])
            lines.append(commands_view([command], words))
    return node("div", *lines)


def commands_view(lines: list[str], words: Words) -> Node:
    """The command lines, to read and to copy."""
    return node(
        "div",
        *(
            node(
                "div",
                node("pre", line),
                node("button", words("training.copy"), copy=line),
                cls="pw-command",
            )
            for line in lines
        ),
        cls="pw-view",
    )


def chain_row(found: ChainSummary, words: Words) -> list[Node]:
    """One line of the list."""
    about = f"{found.recipe} · {moment(found.created_at)}"
    stage = words.sentence(f"training.stage_{found.stage}", {})
    return [
        node("div", node("b", found.bundle_name), node("div", about, cls="pw-mute")),
        node("div", state_pill(found.state, words), node("div", stage, cls="pw-mute")),
    ]


def chain_view(found: ChainView, words: Words) -> Node:
    """One chain: its stages and its alarms; curves are drawn elsewhere."""
    resume = words.sentence(found.resume.code, found.resume.values) if found.resume else None
    parts: list[Node] = [
        card(
            f"{found.bundle_name} · {found.recipe}",
            *([node("p", resume)] if resume else []),
            *(_stage(each, words) for each in found.stages if each.state != "off"),
            right=state_pill(found.state, words),
        )
    ]
    if found.alarms:
        parts.append(alarms_view(found.alarms, words))
    return node("div", *parts, cls="pw-view")


def state_pill(state: str, words: Words) -> Node:
    """A state of a chain or a stage."""
    return pill(words.sentence(f"training.state_{state}", {}), _STATES.get(state, ""))


def _stage(found: StageView, words: Words) -> Node:
    name = words.sentence(f"training.stage_{found.name}", {})
    lines: list[Node] = [
        node("div", node("b", name), state_pill(_seen_state(found), words), cls="pw-line")
    ]
    if found.started_at:
        until = f" – {moment(found.finished_at)}" if found.finished_at else ""
        lines[0] = [*lines[0], node("span", f"{moment(found.started_at)}{until}", cls="pw-mute")]
    if found.stop_phase:
        phase = words.sentence(f"training.phase_{found.stop_phase}", {})
        if found.stop_deadline:
            by = moment(found.stop_deadline, to_the_second=True)
            phase = words("training.stop_by", phase=phase, moment=by)
        lines.append(node("div", phase, cls="pw-mute"))
    if found.reason and found.reason != _ALL_PASSED:  # the checks below say it too
        kind = {"failed": "pw-bad-text", "queued": ""}.get(_seen_state(found), "pw-mute")
        lines.append(node("p", words.sentence(found.reason, found.values), cls=kind))
    if found.figures:
        lines.append(_figures(found, words))
    if found.checks:
        passed = sum(1 for each in found.checks if each.is_passed)
        summary = words("training.checks", passed=passed, count=len(found.checks))
        in_order = sorted(found.checks, key=lambda each: each.is_passed)
        listing = node("div", *(_check(each, words) for each in in_order))
        is_open = passed < len(found.checks)
        lines.append(
            node("details", node("summary", summary), listing, key=f"c{found.name}", open=is_open)
        )
    if found.command:
        lines.append(
            node(
                "details",
                node("summary", words("training.command")),
                commands_view([found.command], words),
                key=f"k{found.name}",
            )
        )
    return node("div", *lines, cls="pw-stage")


def _seen_state(found: StageView) -> str:
    """A stage that waits and says for what is in a queue; the others have not begun."""
    if found.stop_phase:
        return "stopping"
    return "queued" if found.state == "waiting" and found.reason else found.state


def _check(found: Check, words: Words) -> Node:
    mark = pill("✓", "ok") if found.is_passed else pill("×", "bad")
    told = node("div", mark, " ", words.sentence(found.code, found.values), cls="pw-check")
    if found.fix is None:
        return told
    what = words.sentence(found.fix.code, found.fix.values)
    fix = node("button", words("training.fix"), pick=found.name, cls="pw-button")
    return node("div", told, node("div", fix, " ", what, cls="pw-line pw-mute"))


def _figures(found: StageView, words: Words) -> Node:
    """What the sentence above has left out, by its own names."""
    told: list[tuple[str, Node]] = [
        (name, f"{value:.4g}" if isinstance(value, float) else str(value))
        for name, value in found.figures.items()
        if isinstance(value, int | float | str)
    ]
    summary = node("summary", words("training.other_figures", count=len(told)))
    return node("details", summary, facts(told), key=f"f{found.name}")
