"""How batches are drawn: how far they are, what they cost, what failed, how long was thought."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

from labeling.ui.i18n import Words, moment
from labeling.ui.view import Node, bar, card, chart, distributions, facts, node, pill, table
from schemas.synthesis import BatchProgress, Thought

_STATES = {"running": "", "done": "ok", "stopped": "bad", "paused": "warn", "cancelled": "quiet"}
_BINS = 30
_LARGE = 5
_SHORT = 28
_MODELS = 2


def batches_view(found: Sequence[BatchProgress], words: Words) -> Node:
    """The newest batches, one a row."""
    heads = [words(f"synthesis.{each}") for each in ("batch", "state", "progress")]
    rows = [(each.id, _row(each, words)) for each in found]
    listing = table(heads, rows, empty=words("synthesis.none"))
    return card(words("synthesis.batches"), listing)


def _row(found: BatchProgress, words: Words) -> list[Node]:
    about = [moment(found.started_at), found.created_by or ""]
    if found.order.trial is not None:
        about.append(words("synthesis.is_trial"))
    if found.spent_money:
        about.append(money(found.spent_money, found.currency))
    told = " · ".join(each for each in about if each)
    return [
        node("div", node("b", _name(found)), node("div", told, cls="pw-mute")),
        state_pill(found, words),
        node("div", progress_bar(found), f"{found.done + found.failed:,} / {found.total:,}"),
    ]


def batch_view(found: BatchProgress, told: Sequence[Node], words: Words) -> Node:
    """One batch; `told` are paragraphs of its own."""
    reason = found.reason
    why = [node("p", words.sentence(*reason), cls="pw-bad-text")] if reason else []
    failures: list[tuple[str | None, list[Node]]] = [
        (None, [words.sentence(code, {}), f"{count:,}"]) for code, count in found.failures
    ]
    heads = [words("synthesis.failure"), words("synthesis.count")]
    classes = [table(heads, failures, empty="")] if failures else []
    return card(
        _name(found),
        progress_bar(found),
        *why,
        *told,
        facts(_facts(found, words)),
        *classes,
        right=state_pill(found, words),
    )


def _facts(found: BatchProgress, words: Words) -> list[tuple[str, Node]]:
    order = found.order
    tokens = (found.input_tokens, found.output_tokens, found.reasoning_tokens)
    counts = {name: f"{getattr(found, name):,}" for name in ("done", "failed", "in_flight", "open")}
    pairs: list[tuple[str, Node]] = [
        (words("synthesis.asked_of"), words.listed(order.endpoints) or order.endpoint),
        (words("synthesis.counts"), words("synthesis.counts_of", **counts)),
    ]
    if found.state == "running":
        pairs += [
            (words("synthesis.rate"), f"{found.rate_per_minute:,.0f} / min"),
            (words("synthesis.eta"), _finish(found.eta_s)),
        ]
    pairs.append((words("synthesis.tokens"), " · ".join(f"{each:,}" for each in tokens)))
    if found.spent_money or found.budget:
        pairs.append((words("synthesis.money"), _spending(found, words)))
    if found.repairs:
        told = words("synthesis.repairs_of", made=found.repairs, count=found.repaired)
        pairs.append((words("synthesis.repairs"), told))
    return pairs


def _spending(found: BatchProgress, words: Words) -> Node:
    """What was spent, of what budget, and what it will be at the end."""
    budget = found.budget
    parts = [money(found.spent_money, found.currency)] if found.spent_money else []
    if budget is not None and budget.money is not None:
        parts.append(words("synthesis.of_budget", sum=money(budget.money, found.currency)))
    if budget is not None and budget.tokens is not None:
        told = f"{found.spent_tokens:,} / {budget.tokens:,}"
        parts.append(words("synthesis.tokens_of_budget", told=told))
    if found.open and found.forecast_money:
        forecast = money(found.forecast_money, found.currency)
        parts.append(words("synthesis.forecast", sum=forecast))
    share = _budget_share(found)
    line = [] if share is None else [bar(share, "bad" if share >= 0.95 else "")]
    return node("div", " · ".join(parts), *line)


def _budget_share(found: BatchProgress) -> float | None:
    budget = found.budget
    if budget is None:
        return None
    shares = [
        spent / limit
        for spent, limit in (
            (found.spent_money, budget.money),
            (found.spent_tokens, budget.tokens),
        )
        if limit
    ]
    return max(shares, default=None)


def lengths_view(found: Sequence[Thought], words: Words) -> list[Node]:
    """How long was thought: how often each length came, and the median for each size of a plan."""
    if not found:
        return []
    models = sorted({each.model for each in found})[:_MODELS]
    lengths = [[each.length for each in found if each.model == model] for model in models]
    longest = sorted(each.length for each in found)[int(0.98 * (len(found) - 1))]
    width = max(1, -(-longest // _BINS))
    counts = [_histogram(some, width) for some in lengths]
    title, unit = words("synthesis.lengths_often"), words("synthesis.characters")
    drawn = distributions(title, models, counts, width=width, unit=unit)
    charts = node(
        "div", *(_by_size(model, found, words) for model in models), cls="pw-charts pw-fit"
    )
    return [card(words("synthesis.lengths"), drawn, charts)]


def _by_size(model: str, found: Sequence[Thought], words: Words) -> Node:
    """The median length for each size of a plan."""
    by_size: dict[int, list[int]] = {}
    for each in found:
        if each.model == model:
            by_size.setdefault(min(each.size, _LARGE), []).append(each.length)
    sizes = sorted(by_size)
    points = [(place, float(median(by_size[size]))) for place, size in enumerate(sizes)]
    ticks = [f"{size}+" if size == _LARGE else str(size) for size in sizes]
    label = model if len(model) <= _SHORT else f"{model[: _SHORT - 1]}…"
    return chart(words("synthesis.lengths_by_size"), points, label=label, ticks=ticks)


def _histogram(lengths: Sequence[int], width: int) -> list[int]:
    counts = [0] * _BINS
    for length in lengths:
        counts[min(length // width, _BINS - 1)] += 1
    return counts


def state_pill(found: BatchProgress, words: Words) -> Node:
    """The state; what ended with failures says how many."""
    if found.state == "done" and found.failed:
        return pill(words("synthesis.done_with_failed", count=f"{found.failed:,}"), "warn")
    return pill(words(f"synthesis.state_{found.state}"), _STATES[found.state])


def progress_bar(found: BatchProgress) -> Node:
    """How much has ended."""
    return bar((found.done + found.failed) / max(1, found.total))


def money(amount: float, currency: str) -> str:
    """An amount with its currency, to the cent where it is more than one."""
    digits = 2 if amount >= 1 else 4
    return f"{amount:,.{digits}f} {currency}".strip()


def _name(found: BatchProgress) -> str:
    return found.order.model


def _finish(eta_s: float | None) -> str:
    """How long it still takes, and when that is."""
    if eta_s is None:
        return "–"
    minutes, rest = divmod(round(eta_s), 60)
    hours, minutes = divmod(minutes, 60)
    span = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{span} · {moment(datetime.now(UTC) + timedelta(seconds=eta_s))}"
