"""How long models thought in a batch, beside the size of the plan that it led to."""

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from schemas.synthesis import Thought

_SUGGESTION = SQLModel.metadata.tables["suggestion"]
MOST = 1000


def list_thoughts(session: Session, project_id: str, batch_id: str) -> list[Thought]:
    """Of the newest answers of a batch with a plan and thinking, as far as they are shown."""
    statement = (
        sa.select(_SUGGESTION.c.model, _SUGGESTION.c.plan, _SUGGESTION.c.trace_length)
        .where(
            _SUGGESTION.c.project_id == project_id,
            _SUGGESTION.c.batch_id == batch_id,
            _SUGGESTION.c.plan.is_not(None),
            _SUGGESTION.c.trace_length > 0,
        )
        .order_by(_SUGGESTION.c.id.desc())
        .limit(MOST)
    )
    return [
        Thought(model or "", len(plan["steps"]), length)
        for model, plan, length in session.connection().execute(statement)
    ]
