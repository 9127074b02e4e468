"""How a bundle, and what a recipe would make, is drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from exports.card import shift_text
from labeling.ui.i18n import Words, moment
from labeling.ui.view import Node, bar, card, facts, node, pill, table
from schemas.bundle import BundleSummary, BundleView, PoolFigures, RecipePreview, Spread
from schemas.recipe import BundleRecipe

_SHOWN = 40
"""Differences on the page; the command line tells them all."""
_STATES = {"ready": "ok", "ready_lengths_unknown": "warn", "refused": "bad"}


def preview_view(found: RecipePreview, words: Words) -> Node:
    """What a recipe would write."""
    files = [(None, [name, _file_rows(name, found, words)]) for name in found.files]
    weights = " · ".join(f"{words(f'datasets.reward_{n}')} {w:g}" for n, w in found.weights.items())
    heads = [words("datasets.file"), words("datasets.rows")]
    examples = [
        node("details", node("summary", name), node("pre", text), key=f"example-{name}")
        for name, text in found.examples.items()
    ]
    late: list[Node] = []
    if found.waiting:
        told = words("datasets.preview_waiting", count=f"{found.waiting:,}")
        late.append(node("p", pill(told, "warn"), role="status"))
    if found.not_compared:
        told = words("datasets.not_compared", count=f"{found.not_compared:,}")
        late.append(node("p", told, cls="pw-mute", role="status"))
    if found.not_scored:
        told = words("datasets.not_scored", count=f"{found.not_scored:,}")
        late.append(node("p", told, cls="pw-mute", role="status"))
    return node(
        "div",
        card(words("datasets.preview"), *late, table(heads, files, empty=""), node("p", weights)),
        *(pool_view(each, words) for each in found.pools),
        card(words("datasets.examples"), *examples),
        recipe_view(found.recipe, words),
        cls="pw-view",
    )


def _file_rows(name: str, found: RecipePreview, words: Words) -> str:
    rows = f"{found.files[name]:,}"
    if name.replace("_val.", ".") in found.at_most:
        return words("datasets.at_most", rows=rows)
    return rows


def pool_view(found: PoolFigures, words: Words) -> Node:
    """One pool: sources, shares, what was left out and why, and how the cut shifts it."""
    heads = [words(f"datasets.{each}") for each in ("source", "found", "taken", "share")]
    heads.append(words("datasets.left_out"))
    rows = [
        (
            None,
            [
                words(f"datasets.source_{each.kind}"),
                f"{each.found:,}",
                f"{each.taken:,}",
                _share(each.share),
                _reasons(each.exclusions, words),
            ],
        )
        for each in found.sources
    ]
    shifted: list[Node] = []
    if found.shift is not None:
        told = shift_text(words.language, found.shift)
        shifted.append(node("p", pill(told, "warn") if found.shift.is_alarm else told))
    near: list[Node] = []
    if found.near is not None and found.near.rows:
        values = {"rows": f"{found.near.rows:,}", "groups": f"{found.near.groups:,}"}
        near.append(node("p", words.sentence("export.card_near", values), cls="pw-mute"))
    if found.near is not None and found.near.bridges:
        values = {"count": f"{found.near.bridges:,}"}
        near.append(node("p", words.sentence("export.card_bridges", values), cls="pw-mute"))
    title = words("datasets.pool", pool=found.pool.upper(), train=found.train, val=found.val)
    return card(
        title,
        table(heads, rows, empty=""),
        *shifted,
        *near,
        node("div", *_sizes(found.before, found.spread, words), cls="pw-two"),
    )


def bundle_row(found: BundleSummary, words: Words) -> list[Node]:
    """One line of the list."""
    about = f"{moment(found.created_at)} · {found.created_by or ''}"
    rows = " · ".join(
        f"{name.removesuffix('.jsonl')} {count:,}" for name, count in found.rows.items()
    )
    return [
        node("div", node("b", found.name), node("div", about, cls="pw-mute")),
        state_pill(found.state, words),
        rows,
    ]


def bundle_view(found: BundleView, words: Words) -> Node:
    """Everything about one bundle."""
    parts: list[Node] = []
    if found.progress and found.state == "writing":
        done, wanted = found.progress
        parts.append(bar(done / max(1, wanted)))
    if found.refusal:
        parts.append(node("p", _refusal(found.refusal, words), cls="pw-bad-text"))
    if found.state in ("ready", "ready_lengths_unknown"):
        href = f"/download/bundle/{found.bundle_id}"
        parts.append(
            node("a", words("datasets.download"), href=href, cls="pw-button", download=True)
        )
    kept: list[tuple[str, Node]] = [
        ("ID", found.bundle_id),
        (words("datasets.manifest"), found.manifest_hash or "–"),
    ]
    return node(
        "div",
        card(found.name, *parts, facts(kept), right=state_pill(found.state, words)),
        *(pool_view(each, words) for each in found.pools),
        _files(found, words),
        *_verification(found.verification, words),
        recipe_view(found.recipe, words),
        cls="pw-view",
    )


def recipe_view(recipe: BundleRecipe, words: Words) -> Node:
    """A recipe as the file that the command line takes."""
    plain = recipe.model_dump(mode="json", exclude_defaults=True) | {"name": recipe.name}
    text = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False)
    return card(
        words("datasets.recipe_file"),
        node("details", node("summary", "recipe.yaml"), node("pre", text), key="recipe"),
        right=node("button", words("datasets.copy"), copy=text),
    )


def state_pill(state: str, words: Words) -> Node:
    """A bundle's state."""
    return pill(words.sentence(f"export.state_{state}", {}), _STATES.get(state, ""))


def _share(share: float) -> Node:
    return node("div", bar(share), f"{share:.0%}", cls="pw-share")


def _reasons(exclusions: Mapping[str, int], words: Words) -> Node:
    lines = [
        node("div", f"{count:,} · {words.sentence(f'export.{_bare(code)}', {})}", cls="pw-mute")
        for code, count in exclusions.items()
        if count
    ]
    return node("div", *lines)


def _bare(code: str) -> str:
    name = code.removeprefix("export.")
    return name if name.startswith("reason_") else f"reason_{name}"


def _sizes(before: Spread, after: Spread, words: Words) -> list[Node]:
    def column(spread: Spread, name: str) -> Node:
        rows = [
            (
                None,
                [
                    words("datasets.steps", count=size),
                    _share(count / max(1, spread.rows)),
                ],
            )
            for size, count in sorted(spread.by_size.items())
        ]
        heads = [words(f"datasets.{name}"), f"{spread.rows:,}"]
        return table(heads, rows, empty="–")

    return [column(before, "before"), column(after, "after")]


def _files(found: BundleView, words: Words) -> Node:
    data = [name for name, fact in found.files.items() if fact.rows is not None]
    rest = [name for name in found.files if name not in data]

    def listing(names: list[str]) -> Node:
        heads = [words("datasets.file"), words("datasets.rows"), words("datasets.bytes")]
        facts_of = [(name, found.files[name]) for name in names]
        rows = [
            (None, [name, "" if fact.rows is None else f"{fact.rows:,}", f"{fact.bytes:,}"])
            for name, fact in facts_of
        ]
        return table(heads, rows, empty="–")

    more = words("datasets.other_files", count=len(rest))
    folded = [node("details", node("summary", more), listing(rest), key="files")] if rest else []
    return card(words("datasets.files"), listing(data), *folded)


def _refusal(refusal: Mapping[str, Any], words: Words) -> str:
    values: Any = refusal.get("values") or {}
    return words.sentence(str(refusal["code"]), values)


def _verification(found: Mapping[str, Any] | None, words: Words) -> list[Node]:
    if not found:
        return []
    files: dict[str, Any] = found.get("files") or {}
    rows = [
        (
            None,
            [
                name,
                f"{each['rows_in']:,}",
                f"{each['rows_read']:,}",
                "–" if each["rows_tokenised"] is None else f"{each['rows_tokenised']:,}",
                _lengths(each["lengths"]),
            ],
        )
        for name, each in files.items()
    ]
    heads = [words(f"datasets.{n}") for n in ("file", "written", "read", "tokenised", "lengths")]
    state = pill(words("datasets.same"), "ok") if found.get("is_true") else None
    wrong = _differences(found.get("differences") or [], words)
    if near := found.get("near_split"):
        wrong.append(node("p", words.sentence("training.near_split", {"count": near})))
    return [
        card(words("datasets.verification"), table(heads, rows, empty="–"), *wrong, right=state)
    ]


def _differences(told: Sequence[Mapping[str, Any]], words: Words) -> list[Node]:
    """What is wrong with a bundle that was refused, a sentence a line, the first of them."""
    if not told:
        return []
    sentences = [words.sentence(each["code"], each["values"]) for each in told[:_SHOWN]]
    title = words("datasets.wrong", count=len(told))
    return [node("h4", title), node("ul", *(node("li", each) for each in sentences))]


def _lengths(lengths: Mapping[str, float] | None) -> str:
    if not lengths:
        return "–"
    return " · ".join(f"{name} {value:,.0f}" for name, value in lengths.items())
