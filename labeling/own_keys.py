"""Keys that somebody has chosen for the desks; they follow the person, not the browser."""

from collections.abc import Mapping
from typing import cast

from db.access import people
from db.engine import Database, take_turns
from schemas.errors import NotFound
from schemas.keys import DEFAULT_KEYS, DESKS, DeskName, choose_key, effective_keys
from schemas.people import Actor

_PREFERENCE = "keys"


def list_keys(database: Database, who: Actor, desk: str) -> dict[str, str]:
    """The key of every action of a desk for this person; an action without one has `""`.

    Raises:
        NotFound: `keys.no_such_desk`.
    """
    with database.reading() as session:
        kept = people.read_preference(session, who.person_id, _PREFERENCE)
    known = _known(desk)
    return effective_keys(known, _of_desk(kept, known))


def set_key(database: Database, who: Actor, desk: str, action: str, key: str) -> dict[str, str]:
    """Choose another key for an action; returns all keys of the desk.

    Raises:
        NotFound: `keys.no_such_desk`, `keys.no_such_action`.
        InvalidInput: `keys.not_a_key`, `keys.reserved`, `keys.taken` (which action has it).
    """
    known = _known(desk)
    with database.transaction() as session:
        take_turns(session, f"preferences of {who.person_id}")
        kept = people.read_preference(session, who.person_id, _PREFERENCE)
        own = choose_key(known, _of_desk(kept, known), action, key)
        people.keep_preference(session, who.person_id, _PREFERENCE, kept | {known: own})
    return effective_keys(known, own)


def reset_key(database: Database, who: Actor, desk: str, action: str) -> dict[str, str]:
    """Give one action the key it had at first; returns all keys of the desk.

    Raises:
        NotFound: `keys.no_such_desk`, `keys.no_such_action`.
        InvalidInput: `keys.taken`: another action has been given that key.
    """
    return set_key(database, who, desk, action, DEFAULT_KEYS[_known(desk)].get(action, ""))


def reset_keys(database: Database, who: Actor, desk: str) -> dict[str, str]:
    """Give every action of a desk the key it had at first; returns them.

    Raises:
        NotFound: `keys.no_such_desk`.
    """
    known = _known(desk)
    with database.transaction() as session:
        take_turns(session, f"preferences of {who.person_id}")
        kept = people.read_preference(session, who.person_id, _PREFERENCE)
        others = {each: own for each, own in kept.items() if each != known}
        people.keep_preference(session, who.person_id, _PREFERENCE, others)
    return effective_keys(known, {})


def _known(desk: str) -> DeskName:
    for known in DESKS:
        if known == desk:
            return known
    raise NotFound("keys.no_such_desk", desk=desk)


def _of_desk(kept: Mapping[str, object], desk: DeskName) -> Mapping[str, object]:
    own = kept.get(desk)
    return cast(Mapping[str, object], own) if isinstance(own, dict) else {}
