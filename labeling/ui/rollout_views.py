"""How completions of a GRPO run are drawn: a list, and one of them beside the accepted plan."""

import json
from collections.abc import Mapping
from typing import Any, cast

from exports.training.rollout_work import Detail, Listing, Row
from labeling.ui.i18n import Words
from labeling.ui.query_views import plan_view
from labeling.ui.view import Node, bar, card, facts, node, pill, table
from schemas.project import REWARDS

_EXCERPT = 110


def list_view(found: Listing, page: int, words: Words) -> Node:
    """A page of completions, and how many there are."""
    away = [
        node("p", words("training.out_of_reach", attempt=attempt, node=name), cls="pw-bad-text")
        for attempt, name in found.out_of_reach
    ]
    if not found.written:
        return card(words("training.rollouts"), node("p", words("training.no_rollouts")), *away)
    columns = [
        words("training.rollout_query"),
        words("training.line_total"),
        *([words("training.advantage")] if _has_advantages(found) else []),
        words("training.curve_rewards_short"),
        words("training.length"),
    ]
    heads = [
        words("training.step").capitalize(),
        *([words("training.attempt")] if found.attempts > 1 else []),
        *([words("training.node")] if found.nodes > 1 else []),
        *columns,
    ]
    rows = [(each.place.text, _row(each, found, words)) for each in found.rows]
    listing = table(heads, rows, empty=words("training.none_chosen"))
    told = words(
        "training.rollout_count",
        found=f"{found.found:,}",
        written=f"{found.written:,}",
        page=page + 1 if found.pages else 0,
        pages=f"{found.pages:,}",
    )
    notes: list[Node] = [node("p", told, cls="pw-mute")]
    if found.unreadable:
        lost = words("training.unreadable", count=f"{found.unreadable:,}")
        notes.append(node("p", lost, cls="pw-bad-text"))
    return card(words("training.rollouts"), *notes, *away, listing)


def _has_advantages(found: Listing) -> bool:
    return any(each.advantage is not None for each in found.rows)


def _row(each: Row, found: Listing, words: Words) -> list[Node]:
    rollout = each.rollout
    bars = [
        node(
            "i",
            height=round(100 * max(0.04, min(1.0, rollout.scores.get(name, 0.0)))),
            title=f"{words(f'datasets.reward_{name}')} {rollout.scores.get(name, 0.0):.3f}",
            cls=f"pw-l{tone}",
        )
        for tone, name in enumerate(REWARDS)
        if name in rollout.scores
    ]
    answer = " ".join(rollout.completion.split())[-_EXCERPT:]
    return [
        f"{rollout.step}",
        *([f"{each.attempt}"] if found.attempts > 1 else []),
        *([each.node] if found.nodes > 1 else []),
        node(
            "div",
            node("div", each.query, cls="pw-clamp"),
            node("div", f"…{answer}", cls="pw-mute pw-one-line"),
        ),
        f"{rollout.total:.3f}",
        *([_signed(each.advantage)] if _has_advantages(found) else []),
        node("span", *bars, cls="pw-spark"),
        f"{len(rollout.completion):,}",
    ]


def _signed(advantage: float | None) -> str:
    return "–" if advantage is None else f"{advantage:+.3f}"


def detail_view(found: Detail, words: Words) -> Node:
    """One completion with its reasons, beside the plan that people accepted."""
    rollout = found.rollout
    title = words("training.rollout", step=rollout.step, line=rollout.line + 1)
    asked = [
        node("div", node("span", role), node("span", text), cls="pw-turn")
        for role, text in found.history
    ]
    link = node(
        "a",
        words("training.open_query"),
        href=f"/{words.language}/queries?query={rollout.plan_id}",
        cls="pw-button",
    )
    head = [*asked, node("h2", found.query or rollout.plan_id)]
    if found.query_state is not None:
        head.append(node("p", link))
    planned = node(
        "div",
        card(words("training.its_plan"), _plan(found.plan, words)),
        card(words("training.accepted_plan"), _plan(found.gold, words)),
        cls="pw-two",
    )
    return node(
        "div",
        card(title, *head, right=node("b", f"{rollout.total:.3f}")),
        planned,
        card(words("training.scores"), _scores(found, words)),
        *_texts(found, words),
        cls="pw-view",
    )


def worst_reason(found: Detail, words: Words) -> str:
    """Why the reward that costs the total most is not 1: what one would most likely say."""
    scores = found.rollout.scores
    costs = {
        name: found.weights.get(name, 0.0) * (1 - scores.get(name, 1.0)) for name in found.reasons
    }
    name = max(costs, key=costs.__getitem__, default=None)
    if name is None or costs[name] <= 0:
        return ""
    why = found.reasons[name]
    return f"{words(f'datasets.reward_{name}')}: {words.sentence(why.code, why.values)}"


def _scores(found: Detail, words: Words) -> Node:
    heads = [words(f"training.{each}") for each in ("reward_name", "score", "weight", "why")]
    rows: list[tuple[str | None, list[Node]]] = []
    for name in REWARDS:
        score = found.rollout.scores.get(name)
        if score is None:
            continue
        why = found.reasons.get(name)
        kind = "ok" if score >= 0.9 else "warn" if score >= 0.5 else "bad"
        rows.append(
            (
                None,
                [
                    words(f"datasets.reward_{name}"),
                    node("span", f"{score:.3f} ", bar(score, kind)),
                    f"{found.weights.get(name, 0):g}",
                    words.sentence(why.code, why.values) if why else "",
                ],
            )
        )
    return node("div", table(heads, rows, empty="–"), cls="pw-scores")


def _texts(found: Detail, words: Words) -> list[Node]:
    completion = found.rollout.completion
    parts: list[Node] = []
    if found.thinking:
        summary = words("training.thinking", length=f"{len(found.thinking):,}")
        text = node("div", found.thinking, cls="pw-rollout-text")
        parts.append(card(summary, _folded(words("training.show_thinking"), text, "thinking")))
    notes = [node("p", words("training.text_is_cut"), cls="pw-mute")] if found.is_cut else []
    whole = node("pre", completion[:60_000])
    parts.append(
        card(
            words("training.whole_text"),
            *notes,
            facts([*_origin(found, words), ("ID", found.rollout.plan_id)]),
            _folded(words("training.show_text"), whole, "whole"),
        )
    )
    return parts


def _origin(found: Detail, words: Words) -> list[tuple[str, Node]]:
    """Where a completion was sampled, and what its group made of it."""
    return [
        (words("training.attempt"), f"{found.attempt}"),
        *([(words("training.node"), found.node)] if found.node else []),
        *(
            []
            if found.advantage is None
            else [(words("training.advantage"), _signed(found.advantage))]
        ),
    ]


def _folded(summary: str, body: Node, key: str) -> Node:
    return node("details", node("summary", summary), body, key=f"rollout-{key}")


def _plan(plan: Mapping[str, Any] | None, words: Words) -> Node:
    """A plan for people, or what there is of one as it was written."""
    if plan is None:
        return node("p", pill(words("training.no_plan"), "warn"))
    if is_readable(plan):
        return plan_view(plan, words)
    return node("pre", json.dumps(plan, ensure_ascii=False, indent=1)[:20_000])


def is_readable(plan: Mapping[str, Any]) -> bool:
    """Whether the steps of a model's plan have the types that a plan's steps have."""
    steps = plan.get("steps")
    if not isinstance(steps, list):
        return False
    for step in cast(list[Any], steps):
        if not isinstance(step, dict):
            return False
        asked = cast(dict[str, Any], step).get("sub_questions")
        if not isinstance(asked, list) or not all(
            isinstance(a, str) for a in cast(list[Any], asked)
        ):
            return False
    return True
