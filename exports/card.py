"""The card of a bundle: what is in it and what is missing, in Chinese and in English."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from exports.training.recipes import reward_weights
from schemas.bundle import NearFigures, PoolFigures, Shift, Spread
from schemas.recipe import BundleRecipe
from schemas.sentences import LANGUAGES, Language, sentence

_TOP_EXPERTS = 30


class CardFacts(NamedTuple):
    """What a card is made of.

    `rows` maps a file to its rows, `experts` a file to the steps of each expert; `form_missed`
    counts verbatim answers of history without the bundle's form, `twins` the augmented rows of a
    file.
    """

    recipe: BundleRecipe
    pools: tuple[PoolFigures, ...]
    rows: Mapping[str, int]
    experts: Mapping[str, Mapping[str, int]]
    form_missed: int
    twins: Mapping[str, int] = MappingProxyType({})


def card_text(facts: CardFacts) -> str:
    """Markdown; the Chinese section first."""
    lines = [f"# {_safe(facts.recipe.name)}", ""]
    for language in LANGUAGES:
        lines += _section(_Says(language), facts)
    return "\n".join(lines)


class _Says:
    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def __call__(self, name: str, **values: object) -> str:
        return sentence(f"export.{name}", values, self.language)


def _section(says: _Says, facts: CardFacts) -> Iterable[str]:
    recipe = facts.recipe
    form = says("card_with_thinking" if recipe.with_thinking else "card_without_thinking")
    yield f"## {says('card_title')}"
    yield ""
    yield says("card_about", form=form, seed=recipe.seed, val=f"{recipe.val_share * 100:g} %")
    yield ""
    yield from _table((says("card_file"), says("card_rows")), sorted(facts.rows.items()))
    for file, count in sorted(facts.twins.items()):
        yield says("card_twins", file=file, count=count)
        yield ""
    yield f"### {says('card_weights')}"
    yield ""
    weights = reward_weights(recipe.weights, with_thinking=recipe.with_thinking)
    yield from _table((says("card_reward"), says("card_weight")), weights.items())
    for pool in facts.pools:
        yield from _pool(says, pool)
    for file, counted in sorted(facts.experts.items()):
        yield f"### {says('card_experts', file=file)}"
        yield ""
        most = sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:_TOP_EXPERTS]
        yield from _table((says("card_expert"), says("card_steps")), most)
    yield f"### {says('card_gaps')}"
    yield ""
    yield from (f"- {gap}" for gap in _gaps(says, recipe, facts.pools))
    if recipe.history_answers == "verbatim":
        yield f"- {says('gap_verbatim', count=facts.form_missed)}"
    yield ""


def _pool(says: _Says, pool: PoolFigures) -> Iterable[str]:
    yield f"### {says('card_pool', pool=pool.pool, train=pool.train, val=pool.val)}"
    yield ""
    yield from _table(
        tuple(says(f"card_{name}") for name in ("source", "found", "taken", "share")),
        [
            (says(f"kind_{each.kind}"), each.found, each.taken, f"{each.share * 100:.1f} %")
            for each in pool.sources
        ],
    )
    excluded = [
        (says(f"kind_{each.kind}"), says(f"reason_{reason}"), count)
        for each in pool.sources
        for reason, count in each.exclusions.items()
    ]
    if excluded:
        head = (says("card_source"), says("card_reason"), says("card_left_out"))
        yield from _table(head, excluded)
    yield from _table(
        (says("card_size"), says("card_before"), says("card_after")),
        [
            (size, _part(pool.before, size), _part(pool.spread, size))
            for size in sorted(pool.before.by_size)
        ],
    )
    yield from _table((says("card_list"), says("card_rows")), pool.spread.by_list.items())
    states = pool.spread.by_trace_state
    yield from _table(
        (says("card_trace"), says("card_rows")),
        [(says(f"trace_{state}"), count) for state, count in states.items()],
    )
    lengths = (pool.before.mean_trace_length, pool.spread.mean_trace_length)
    if all(lengths):
        yield says("card_trace_lengths", before=lengths[0], after=lengths[1])
        yield ""
    if pool.plain:
        yield says("card_plain", count=pool.plain)
        yield ""
    if pool.near is not None:
        yield from _near(says, pool.near)
    if pool.shift is not None:
        yield shift_text(says.language, pool.shift, name_of=_safe)
        yield ""


def _near(says: _Says, near: NearFigures) -> Iterable[str]:
    yield says("card_near", groups=near.groups, rows=near.rows)
    yield ""
    if near.bridges:
        yield says("card_bridges", count=near.bridges)
        yield ""


def shift_text(language: Language, shift: Shift, *, name_of: Callable[[str], str] = str) -> str:
    """How far the selection of short traces moved the experts, as a sentence."""
    moved = ", ".join(
        f"{name_of(each.expert)} {each.before * 100:.1f} % → {each.after * 100:.1f} %"
        for each in shift.experts
    )
    values = {
        "share": f"{shift.distance * 100:.1f} %",
        "threshold": f"{shift.threshold * 100:g} %",
        "experts": moved or "–",
    }
    name = "card_shift_alarm" if shift.is_alarm else "card_shift"
    return sentence(f"export.{name}", values, language)


def _gaps(says: _Says, recipe: BundleRecipe, pools: tuple[PoolFigures, ...]) -> Iterable[str]:
    """What whoever trains on the bundle should know is not in it."""
    for pool in pools:
        for each in pool.sources:
            if not each.taken:
                yield says("gap_source", kind=says(f"kind_{each.kind}"), pool=pool.pool)
        rare = [str(size) for size, count in pool.spread.by_size.items() if count < 10]
        if rare:
            yield says("gap_sizes", pool=pool.pool, sizes=", ".join(rare))
        if not pool.val:
            yield says("gap_val", pool=pool.pool)
    if any(each.kind == "suggestions" and each.taken for pool in pools for each in pool.sources):
        yield says("gap_unreviewed")
    rederived = sum(
        pool.spread.by_trace_state.get("rederived", 0) for pool in pools if pool.pool == "sft"
    )
    if rederived and recipe.with_thinking:
        yield says("gap_rederived", count=rederived)
    if recipe.stale_traces == "keep" and recipe.with_thinking:
        yield says("gap_stale")
    yield says("gap_agreement")


def _part(spread: Spread, size: int) -> str:
    count = spread.by_size.get(size, 0)
    return f"{count} ({count / spread.rows * 100:.1f} %)" if spread.rows else "0"


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_safe(str(cell)) for cell in row)} |"
    yield ""


def _safe(text: str) -> str:
    """Text of people as text: no cell broken, no HTML, on one line."""
    text = " ".join(text.split())
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;")):
        text = text.replace(sign, name)
    return text
