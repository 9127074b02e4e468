"""How named batches and their progress are drawn."""

from collections.abc import Sequence

from labeling.ui.i18n import Words
from labeling.ui.view import Node, bar, card, node, pill, table
from schemas.work_batches import WorkBatchView


def batches_view(found: Sequence[WorkBatchView], words: Words) -> Node:
    """Every batch: whose it is, how far, and how many days are left."""
    heads = [words(f"queries.{each}") for each in ("batch", "batch_progress", "batch_days")]
    rows = [(each.id, _batch(each, words)) for each in found]
    return card(words("queries.batches"), table(heads, rows, empty=words("queries.no_batches")))


def _batch(batch: WorkBatchView, words: Words) -> list[Node]:
    people = words.listed(batch.people) or words("queries.everybody")
    kind = "ok" if batch.is_done else "bad" if batch.is_overdue else ""
    progress = node(
        "div",
        bar(batch.done / batch.total if batch.total else 0.0, kind),
        node("div", f"{batch.done:,} / {batch.total:,}", cls="pw-mute"),
    )
    name = node("div", batch.name, node("div", people, cls="pw-mute"))
    return [name, progress, _days(batch, words)]


def _days(batch: WorkBatchView, words: Words) -> Node:
    if batch.closed_at is not None:
        return pill(words("queries.batch_is_closed"), "quiet")
    if batch.is_done:
        return pill(words("queries.batch_is_done"), "ok")
    if batch.due_on is None or batch.days_left is None:
        return "–"
    day = node("div", f"{batch.due_on:%Y-%m-%d}", cls="pw-mute")
    if batch.is_overdue:
        told = pill(words("queries.overdue", days=-batch.days_left), "bad")
    elif batch.days_left == 0:
        told = pill(words("queries.due_today"), "warn")
    else:
        kind = "warn" if batch.days_left <= 2 else ""
        told = pill(words("queries.due_in", days=batch.days_left), kind)
    return node("div", told, day)
