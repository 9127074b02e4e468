"""What an order will cost and when it will be done, said before anything is asked.

From what earlier answers of the same model with the same parameters took, in this project; where
there are none, only what can be said for certain: the most tokens that may come back.
"""

from collections.abc import Sequence

from db.access.batch_forecast import Taken, read_taken
from db.engine import Session
from labeling.model_endpoints import read_lanes
from schemas.model_endpoints import EndpointSettings
from schemas.synthesis import Forecast, SynthesisOrder

_TWICE = 3
"""Of an answer that is cut off and asked for once more with twice the limit: so many limits."""


def forecast(
    session: Session, project_id: str, order: SynthesisOrder, requests: int
) -> Forecast | None:
    """What so many answers will take; none where nothing can be said.

    New traces are not forecast: how many blind readers each is given depends on what comes.

    Raises:
        NotFound: `models.not_found`.
    """
    if not requests or order.rederive:
        return None
    lanes = read_lanes(session, project_id, order)
    taken = read_taken(session, project_id, order)
    if taken is None:
        limit = order.parameters.get("max_tokens")
        if not isinstance(limit, int):
            return None
        most = limit * (_TWICE if order.raise_cut_off else 1)
        return Forecast(tokens=requests * most)
    each = taken.input_tokens + taken.output_tokens
    is_priced = all(lane.is_priced for lane in lanes)
    return Forecast(
        answers=taken.answers,
        tokens=round(requests * each),
        money=requests * _cost(lanes, taken) if is_priced else None,
        currency=lanes[0].currency,
        seconds=max(
            requests * taken.seconds / min(order.concurrency, requests),
            60 * _minutes_by_limits(lanes, requests, each),
        ),
    )


def forecast_sentence(found: Forecast) -> tuple[str, dict[str, object]]:
    """A forecast as a sentence: its code and values."""
    values: dict[str, object] = {"answers": found.answers, "tokens": f"{found.tokens:,}"}
    if found.seconds is None:
        return "synthesis.forecast_at_most", values
    values["minutes"] = f"{found.seconds / 60:,.1f}"
    if found.money is None:
        return "synthesis.forecast_tokens", values
    money = f"{found.money:,.4f}" if found.money < 1 else f"{found.money:,.2f}"
    return "synthesis.forecast_money", values | {"money": f"{money} {found.currency}".strip()}


def _cost(lanes: Sequence[EndpointSettings], taken: Taken) -> float:
    """Of one answer, as the endpoints share the work."""
    whole = sum(lane.weight for lane in lanes)
    tokens = round(taken.input_tokens), round(taken.output_tokens)
    return sum(lane.cost(*tokens) * lane.weight for lane in lanes) / whole


def _minutes_by_limits(
    lanes: Sequence[EndpointSettings], requests: int, tokens_each: float
) -> float:
    """How long the limits a minute alone make it last; 0 where some endpoint has none."""
    rates = [_rate(lane, tokens_each) for lane in lanes]
    return 0.0 if None in rates else requests / sum(rate for rate in rates if rate is not None)


def _rate(lane: EndpointSettings, tokens_each: float) -> float | None:
    """Answers a minute that an endpoint allows."""
    allowed = [
        *([float(lane.requests_per_minute)] if lane.requests_per_minute else []),
        *([lane.tokens_per_minute / tokens_each] if lane.tokens_per_minute else []),
    ]
    return min(allowed, default=None)
