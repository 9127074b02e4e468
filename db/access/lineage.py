"""Who stands behind the rows of a bundle, and which runs a query went into."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.tables import Annotation, Bundle, BundleRow, Person, Planner, Query, Review, Revision, Run


class RunOf(NamedTuple):
    """A run, and the planner that its checkpoint became."""

    run: Run
    planner: Planner | None


def list_runs_with_planners(session: Session, project_id: str) -> list[RunOf]:
    """Every run of a project with the planner that its checkpoint became, newest first."""
    statement = (
        select(Run, Planner)
        .outerjoin(Planner, col(Planner.run_id) == col(Run.id))
        .where(Run.project_id == project_id)
        .order_by(col(Run.id).desc())
    )
    return [RunOf(*row) for row in session.exec(statement)]


def count_labelled(session: Session, project_id: str, bundle_id: str, file: str) -> dict[str, int]:
    """Author of the plans in a file → queries."""
    plans = _decided(project_id, bundle_id, file)
    statement = (
        sa.select(col(Person.name), sa.func.count(sa.distinct(plans.c.query_id)))
        .select_from(plans)
        .join(Revision, col(Revision.id) == plans.c.revision_id)
        .join(Person, col(Person.id) == col(Revision.author_id))
        .group_by(col(Person.id), col(Person.name))
    )
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def count_reviewed(session: Session, project_id: str, bundle_id: str, file: str) -> dict[str, int]:
    """Who accepted the plans in a file, as they were handed in or as fixed → queries."""
    plans = _decided(project_id, bundle_id, file)
    statement = (
        sa.select(col(Person.name), sa.func.count(sa.distinct(plans.c.query_id)))
        .select_from(plans)
        .join(
            Review,
            sa.or_(
                col(Review.revision_id) == plans.c.revision_id,
                col(Review.fixed_revision_id) == plans.c.revision_id,
            ),
        )
        .join(Person, col(Person.id) == col(Review.reviewer_id))
        .where(col(Review.verdict).in_(("accepted", "fixed")))
        .group_by(col(Person.id), col(Person.name))
    )
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def files_with(session: Session, project_id: str, query_id: str) -> set[tuple[str, str]]:
    """The bundles and dataset files that a query stands in."""
    statement = (
        sa.select(col(BundleRow.bundle_id), col(BundleRow.file))
        .where(col(BundleRow.project_id) == project_id, col(BundleRow.query_id) == query_id)
        .distinct()
    )
    return {(row[0], row[1]) for row in session.connection().execute(statement)}


def names_of_bundles(session: Session, project_id: str) -> dict[str, str]:
    """Bundle id → name."""
    statement = sa.select(col(Bundle.id), col(Bundle.name)).where(
        col(Bundle.project_id) == project_id
    )
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def _decided(project_id: str, bundle_id: str, file: str) -> sa.Subquery:
    """Queries of a file with the revisions that people stand behind.

    A row of `kto` is what a model said, labelled by the accepted plan: it goes by the plan that
    stands now.
    """
    rows = (
        col(BundleRow.project_id) == project_id,
        col(BundleRow.bundle_id) == bundle_id,
        col(BundleRow.file) == file,
    )
    query_id = col(BundleRow.query_id)
    if file != "kto.jsonl":
        revision_id = col(BundleRow.source_id).label("revision_id")
        return sa.select(query_id, revision_id).where(*rows).subquery()
    is_chosen = sa.and_(
        col(Annotation.id) == col(Query.chosen_annotation_id), col(Annotation.state) == "accepted"
    )
    return (
        sa.select(query_id, col(Annotation.revision_id))
        .join(Query, col(Query.id) == query_id)
        .join(Annotation, is_chosen)
        .where(*rows)
        .subquery()
    )
