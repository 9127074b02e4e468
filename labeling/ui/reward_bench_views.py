"""How a reward bench is drawn: rewards, agreement with people, probes, forecast."""

from exports.reward_bench_work import BenchView
from labeling.ui.i18n import Words, moment
from labeling.ui.view import Node, card, node, pill, table
from schemas.reward_bench import (
    QUESTIONS,
    Agreement,
    Forecast,
    ProbeFigure,
    RewardBench,
    RewardFigure,
    ScalingForecast,
)


def bench_view(view: BenchView | None, words: Words) -> Node:
    """All that is known of a bundle's bench."""
    if view is None:
        return node("p", words("bench.none"), cls="pw-empty")
    told: list[Node] = []
    if view.state == "running":
        told.append(node("p", words("bench.running"), role="status"))
    elif view.reason:
        told.append(node("p", words.sentence(view.reason, view.values), cls="pw-bad-text"))
    if view.found is None:
        return node("div", *told)
    return node("div", *told, *_found(view.found, words), cls="pw-view")


def _found(found: RewardBench, words: Words) -> list[Node]:
    weights = " · ".join(
        f"{words(f'datasets.reward_{name}')} {weight:g}" for name, weight in found.weights.items()
    )
    about = words(
        "bench.about",
        used=f"{found.used:,}",
        rows=f"{found.rows:,}",
        answers=f"{found.answers:,}",
        at=f"{moment(found.measured_at)}",
    )
    verdict = "green" if found.is_passed else "red"
    right = pill(words(f"bench.{verdict}"), "ok" if found.is_passed else "bad")
    head = [node("p", about, cls="pw-mute"), node("p", weights, cls="pw-mute")]
    return [
        card(words("bench.probes"), *head, _probes(found.probes, words), right=right),
        _figures(found, words),
        _agreement(found, words),
        _forecast(found, words),
    ]


def _probes(probes: tuple[ProbeFigure, ...], words: Words) -> Node:
    heads = [words(f"bench.{name}") for name in ("probe", "earns", "ceiling", "verdict")]
    rows = [(None, _probe(each, words)) for each in probes]
    return node("div", table(heads, rows, empty="–"), cls="pw-narrow")


def _probe(each: ProbeFigure, words: Words) -> list[Node]:
    verdict: Node = pill(words("bench.below"), "ok")
    if not each.is_passed:
        verdict = pill(words("bench.reached", reached=each.reached, count=each.count), "bad")
    elif each.free:
        verdict = pill(words("bench.free", free=each.free, count=each.count), "warn")
    what: list[Node] = [words.sentence(f"rewards.probe_{each.name}", {})]
    if not each.is_passed or each.free:
        where = words(
            "bench.worst",
            total=f"{each.worst.total:.3f}",
            ceiling=f"{each.worst.ceiling:.3f}",
        )
        text = node("pre", f"{each.worst.plan_id}\n\n{each.worst.completion}")
        what.append(node("details", node("summary", where), text, key=f"probe-{each.name}"))
    return [node("div", *what), f"{each.mean:.3f}", f"{each.ceiling:.3f}", verdict]


def _figures(found: RewardBench, words: Words) -> Node:
    heads = [words(f"bench.{name}") for name in ("reward", "mean", "spread", "edges", "speed")]
    rows = [(None, _figure(each, words)) for each in found.figures]
    title = words("bench.figures" if found.answers else "bench.figures_honest")
    together = words("bench.together", count=f"{found.per_second:,.0f}")
    return card(title, node("div", table(heads, rows, empty="–"), cls="pw-narrow"), together)


def _figure(each: RewardFigure, words: Words) -> list[Node]:
    speed = "" if each.per_second is None else f"{each.per_second:,.0f}"
    return [
        _name(each.reward, words),
        f"{each.mean:.3f}",
        f"{each.spread:.3f}",
        f"{each.zeros:.0%} · {each.ones:.0%}",
        speed,
    ]


def _agreement(found: RewardBench, words: Words) -> Node:
    title = words("bench.agreement")
    if not found.verdicts:
        return card(title, node("p", words("bench.no_verdicts"), cls="pw-empty"))
    about = words("bench.verdicts", count=found.verdicts, independent=found.independent)
    heads = [words("bench.reward"), *(words(f"bench.question_{each}") for each in QUESTIONS)]
    held = {(each.reward, each.question): each for each in found.agreement}
    rows = [
        (None, [_name(reward, words), *(_agrees(held[reward, each], words) for each in QUESTIONS)])
        for reward in dict.fromkeys(each.reward for each in found.agreement)
    ]
    listing = node("div", table(heads, rows, empty="–"), cls="pw-narrow")
    asked = [
        node("div", f"{words(f'bench.question_{each}')} – {words.sentence(_code(each), {})}")
        for each in QUESTIONS
    ]
    return card(title, node("p", about, cls="pw-mute"), listing, node("div", *asked, cls="pw-mute"))


def _code(question: str) -> str:
    return f"rewards.question_{question}"


def _agrees(each: Agreement, words: Words) -> Node:
    cases = words("bench.cases", good=each.good, bad=each.bad)
    if each.figure is None:
        same = f"{cases} · {words('bench.no_difference')}" if each.good and each.bad else cases
        return node("div", "–", node("div", same, cls="pw-mute"))
    interval = "" if each.low is None else f" ({each.low:.2f}–{each.high or 0:.2f})"
    return node("div", f"{each.figure:.2f}{interval}", node("div", cases, cls="pw-mute"))


def _forecast(found: RewardBench, words: Words) -> Node:
    title, forecast = words("bench.forecast"), found.forecast
    if forecast is None:
        return card(title, node("p", words("bench.no_forecast"), cls="pw-empty"))
    heads = [words(f"bench.{name}") for name in ("scaling", "silent", "faint", "strength")]
    rows = [(None, _scaled(each, found, words)) for each in forecast.scalings]
    about = node("p", _drawn(forecast, words), cls="pw-mute")
    return card(title, about, node("div", table(heads, rows, empty="–"), cls="pw-narrow"))


def _drawn(forecast: Forecast, words: Words) -> str:
    told = words(
        "bench.groups",
        groups=f"{forecast.groups:,}",
        size=forecast.size,
        queries=forecast.queries,
        without=forecast.without,
    )
    if forecast.size < forecast.wanted:
        return f"{told} {words('bench.smaller', wanted=forecast.wanted)}"
    return told


def _scaled(each: ScalingForecast, found: RewardBench, words: Words) -> list[Node]:
    is_chosen = each.scaling == found.scaling
    name: Node = node("b", each.scaling) if is_chosen else each.scaling
    chosen = [" ", pill(words("bench.chosen"))] if is_chosen else []
    return [
        node("div", name, *chosen),
        f"{each.silent:.1%}",
        f"{each.faint:.1%}",
        f"{each.strength:.2f}",
    ]


def _name(reward: str, words: Words) -> str:
    return words("bench.total") if reward == "total" else words(f"datasets.reward_{reward}")
