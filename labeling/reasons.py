"""What a reviewer gives as reasons of a return, checked before anything is changed."""

from collections.abc import Sequence

from pydantic import ValidationError

from db.engine import Session
from labeling.commenting import check_span
from schemas.comments import PlanPlace
from schemas.errors import InvalidInput
from schemas.reasons import LONGEST_REMARK, MOST_REASONS, REASON_CODES, Reason


def read_reasons(given: Sequence[object]) -> tuple[Reason, ...]:
    """Reasons from plain JSON, in the order in which they were given; the same one once.

    Raises:
        InvalidInput: `review.reason_missing`, `review.too_many_reasons`, `review.unknown_reason`,
            `review.bad_place`.
    """
    if not given:
        raise InvalidInput("review.reason_missing")
    if len(given) > MOST_REASONS:
        raise InvalidInput("review.too_many_reasons", most=MOST_REASONS)
    reasons: list[Reason] = []
    for each in given:
        reason = _read(each)
        if reason not in reasons:
            reasons.append(reason)
    return tuple(reasons)


def check_passages(session: Session, query_id: str, reasons: Sequence[Reason]) -> None:
    """The passages that reasons are about are quoted as they stand.

    Raises:
        InvalidInput: `comments.trace_differs`.
        NotFound: the suggestion is not one of the query's.
    """
    for reason in reasons:
        if reason.span is not None:
            check_span(session, query_id, reason.span)


def _read(given: object) -> Reason:
    try:
        reason = Reason.model_validate(given)
        if reason.path is not None:
            PlanPlace(path=reason.path)
    except ValidationError as error:
        raise InvalidInput("review.bad_place") from error
    if reason.code not in REASON_CODES:
        known = ", ".join(REASON_CODES)
        raise InvalidInput("review.unknown_reason", reason_code=reason.code, known=known)
    remark = reason.remark.strip()
    if reason.code == "other" and not remark:
        raise InvalidInput("review.reason_missing")
    return reason.model_copy(update={"remark": remark[:LONGEST_REMARK]})
