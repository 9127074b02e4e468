"""What the chosen rows of a pool become in each file: which line is made of what."""

from collections.abc import Iterable, Iterator, Sequence

import orjson

from db.access import exports as access
from db.engine import Session
from exports.augment import is_augmented
from exports.candidates import Candidate
from exports.chance import cluster_share, is_plain
from exports.lines import CHUNK, in_chunks
from exports.pairs import Found, pairs_of, rated_of
from exports.said import said_beside
from schemas.bundle import AUGMENTED, RowOrigin
from schemas.recipe import BundleRecipe, Format


def origins_of(
    session: Session,
    project_id: str,
    format_: Format,
    candidates: Sequence[Candidate],
    recipe: BundleRecipe,
) -> Iterator[RowOrigin]:
    """The origins of the lines of a file, in their order; `dpo` and `kto` may have several rows."""
    match format_:
        case "sft" | "grpo":
            yield from _with_twins(_plain_origins(format_, candidates), recipe)
        case "agent":
            ours = (each for each in candidates if not each.own_prompt)
            yield from _with_twins(_plain_origins(format_, ours), recipe)
        case "dpo" if recipe.dpo_pairs == ("corrected",) and not recipe.plain_share:
            for each in candidates:
                is_taught = not recipe.with_thinking or each.trace_reason is None
                if each.kind == "accepted" and each.rejected_id and is_taught:
                    yield each.origin(each.trace_id, each.rejected_id)
        case "dpo" | "kto":
            make = pairs_of if format_ == "dpo" else rated_of
            for found in _found(session, project_id, candidates, recipe):
                yield from make(found, recipe)


def _plain_origins(
    format_: Format, candidates: Iterable[Candidate]
) -> Iterator[tuple[Candidate, RowOrigin]]:
    for each in candidates:
        yield each, each.origin(None if format_ == "grpo" else each.trace_id, None)


def _with_twins(
    rows: Iterable[tuple[Candidate, RowOrigin]], recipe: BundleRecipe
) -> Iterator[RowOrigin]:
    """The rows, and each twin at a place of its own, by a hash; in the same file as its parent."""
    if not recipe.augmentation.share:
        for _, origin in rows:
            yield origin
        return
    placed: list[tuple[float, RowOrigin]] = []
    for candidate, origin in rows:
        placed.append((_place(recipe, "order", candidate), origin))
        is_ours = not candidate.own_prompt
        if is_ours and is_augmented(recipe.seed, recipe.augmentation, candidate.query_id):
            twin = origin._replace(variant=AUGMENTED)
            placed.append((_place(recipe, "twin", candidate), twin))
    placed.sort(key=lambda each: each[0])
    for _, origin in placed:
        yield origin


def _place(recipe: BundleRecipe, purpose: str, candidate: Candidate) -> float:
    return cluster_share(recipe.seed, purpose, candidate.query_id)


def _found(
    session: Session, project_id: str, candidates: Iterable[Candidate], recipe: BundleRecipe
) -> Iterator[Found]:
    """Accepted queries with all that models said to them."""
    accepted = (each for each in candidates if each.kind == "accepted")
    for chunk in in_chunks(accepted, CHUNK):
        suggestions = access.list_suggestions(session, project_id, [e.query_id for e in chunk])
        plans = access.get_revision_texts(session, project_id, [e.source_id for e in chunk])
        for each in chunk:
            thinks = recipe.with_thinking and not is_plain(
                recipe.seed, recipe.plain_share, each.cluster
            )
            text = plans[each.source_id].plan
            said = said_beside(orjson.loads(text), text, suggestions.get(each.query_id, []))
            yield Found(each, said, thinks)
