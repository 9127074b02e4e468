"""Starts of planners' servers, what was tried on the playground, and general checks."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.tables import Deployment, GeneralCheck, ListVersion, Planner, PlaygroundReply, PromptVersion
from schemas.errors import NotFound


def find_live(session: Session, planner_id: str) -> Deployment | None:
    """The start of a planner's server that is not known to be over."""
    statement = select(Deployment).where(
        Deployment.planner_id == planner_id, col(Deployment.ended_at).is_(None)
    )
    return session.exec(statement).first()


def list_deployments(
    session: Session, project_id: str, *, planner_id: str | None = None, limit: int = 50
) -> list[tuple[Deployment, str]]:
    """Starts with the name of their planner, newest first; those not over before all others."""
    statement = (
        select(Deployment, Planner.name)
        .join(Planner, col(Planner.id) == col(Deployment.planner_id))
        .where(Deployment.project_id == project_id)
    )
    if planner_id is not None:
        statement = statement.where(Deployment.planner_id == planner_id)
    order = (col(Deployment.ended_at).is_not(None), col(Deployment.id).desc())
    return list(session.exec(statement.order_by(*order).limit(limit)))


def find_deployment(session: Session, project_id: str, reference: str) -> Deployment | None:
    """A start by id or the end of one; by the name or id of its planner the newest."""
    statement = (
        select(Deployment)
        .join(Planner, col(Planner.id) == col(Deployment.planner_id))
        .where(
            Deployment.project_id == project_id,
            sa.or_(
                col(Deployment.id) == reference,
                col(Deployment.planner_id) == reference,
                col(Planner.name) == reference,
                col(Deployment.id).endswith(reference, autoescape=True)
                if len(reference) >= 6
                else sa.false(),
            ),
        )
        .order_by(col(Deployment.ended_at).is_not(None), col(Deployment.id).desc())
    )
    return session.exec(statement).first()


def end_deployment(session: Session, deployment_id: str, at: datetime) -> None:
    """A server is over; the first who sees it says so."""
    statement = (
        sa.update(Deployment)
        .where(col(Deployment.id) == deployment_id, col(Deployment.ended_at).is_(None))
        .values(ended_at=at)
    )
    session.connection().execute(statement)


def get_reply(session: Session, project_id: str, reply_id: str) -> PlaygroundReply:
    """What was tried, by id.

    Raises:
        NotFound: `serving.reply_not_found`.
    """
    row = session.get(PlaygroundReply, reply_id)
    if row is None or row.project_id != project_id:
        raise NotFound("serving.reply_not_found", reply=reply_id)
    return row


def list_replies(
    session: Session, project_id: str, person_id: str, limit: int
) -> Sequence[PlaygroundReply]:
    """What a person tried, newest first."""
    statement = (
        select(PlaygroundReply)
        .where(PlaygroundReply.project_id == project_id, PlaygroundReply.person_id == person_id)
        .order_by(col(PlaygroundReply.id).desc())
        .limit(limit)
    )
    return session.exec(statement).all()


def find_references(session: Session, prompt_id: str, list_id: str) -> tuple[str, str]:
    """A prompt and an expert list as NAME@N."""
    prompt = session.get_one(PromptVersion, prompt_id)
    under = session.get_one(ListVersion, list_id)
    return f"{prompt.name}@{prompt.version}", f"{under.name}@{under.version}"


def list_general_checks(
    session: Session, project_id: str, planner_id: str | None, limit: int = 50
) -> list[tuple[GeneralCheck, str]]:
    """General checks with the name of their planner, newest first."""
    statement = (
        select(GeneralCheck, Planner.name)
        .join(Planner, col(Planner.id) == col(GeneralCheck.planner_id))
        .where(GeneralCheck.project_id == project_id)
    )
    if planner_id is not None:
        statement = statement.where(GeneralCheck.planner_id == planner_id)
    return list(session.exec(statement.order_by(col(GeneralCheck.id).desc()).limit(limit)))


def name_of_planner(session: Session, planner_id: str) -> str:
    """The name of a planner."""
    return session.get_one(Planner, planner_id).name
