"""Every version of lists and prompts that queries of a project are pinned to."""

from db.access import exports as access
from db.engine import Session
from exports.materials import Pinned


def load_pinned(session: Session, project_id: str) -> Pinned:
    """All of a project, by id."""
    lists = access.list_pinned_lists(session, project_id)
    return Pinned(lists, access.list_pinned_prompts(session, project_id))
