"""What earlier answers to the same model took, for a forecast of an order."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.tables import SynthesisBatch, SynthesisRequest
from schemas.synthesis import SynthesisOrder

_BATCHES, _ANSWERS = 50, 500


class Taken(NamedTuple):
    """What so many answers took, each on the average: tokens, and seconds until it was there."""

    answers: int
    input_tokens: float
    output_tokens: float
    seconds: float


def read_taken(session: Session, project_id: str, order: SynthesisOrder) -> Taken | None:
    """What the latest answers took to orders of this endpoint, model and parameters, if any."""
    asked = select(SynthesisBatch.id, SynthesisBatch.order).where(
        SynthesisBatch.project_id == project_id
    )
    newest = session.exec(asked.order_by(col(SynthesisBatch.created_at).desc()).limit(_BATCHES))
    wanted = order.endpoint, order.model, order.parameters, order.with_thinking
    alike = [
        batch_id
        for batch_id, values in newest
        if _asked(SynthesisOrder.model_validate(values)) == wanted
    ]
    answers = (
        sa.select(
            col(SynthesisRequest.input_tokens),
            col(SynthesisRequest.output_tokens),
            col(SynthesisRequest.seconds),
        )
        .where(
            col(SynthesisRequest.batch_id).in_(alike),
            col(SynthesisRequest.kind).in_(("answer", "trial")),
            col(SynthesisRequest.output_tokens) > 0,
        )
        .order_by(col(SynthesisRequest.id).desc())
        .limit(_ANSWERS)
        .subquery()
    )
    means = (sa.func.avg(answers.c[name]) for name in answers.c.keys())  # noqa: SIM118
    row = session.connection().execute(sa.select(sa.func.count(), *means)).one()
    return Taken(row[0], *map(float, row[1:])) if row[0] else None


def _asked(order: SynthesisOrder) -> tuple[object, ...]:
    return order.endpoint, order.model, order.parameters, order.with_thinking
