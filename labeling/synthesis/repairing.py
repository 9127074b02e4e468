"""Repairs: the question that asks for a plan in good form, and what its reply is worth."""

from db.access.requests import Broken
from db.access.suggestions import Reading
from labeling.synthesis.replies import ChatReply, read_body, read_suggestion
from schemas.experts import ExpertList
from schemas.repair import added_text, repair_messages


def ask_for_repair(
    broken: Broken, template: str, expert_list: ExpertList, dialect: str
) -> list[dict[str, str]]:
    """The messages that ask for the plan of a stored reply in good form."""
    return repair_messages(_said(broken), template, expert_list, dialect)


def read_repair(
    reply: ChatReply | None, broken: Broken, dialect: str, expert_list: ExpertList
) -> Reading:
    """The plan of a repair; a failure where it is none, or says more than was there."""
    reading = read_suggestion(reply, dialect, expert_list)
    if reading.plan is None:
        return reading
    said = _said(broken)
    if added_text(reading.plan, f"{said}\n{_names_of_aliases(said, expert_list)}") is None:
        return reading._replace(is_repaired=True)
    return Reading(
        reading.shape, reading.trace, None, None, "synthesis.repair_added", is_repaired=False
    )


def _names_of_aliases(said: str, expert_list: ExpertList) -> str:
    """The names of experts whose aliases are spoken of: a repair writes the name."""
    names = [
        each.name for each in expert_list.experts if any(alias in said for alias in each.aliases)
    ]
    return "\n".join(names)


def _said(broken: Broken) -> str:
    """What the model answered, without its thinking in a field of its own."""
    reply = read_body(broken.raw_reply)
    return "" if reply is None else reply.content
