"""Model endpoints known by name: who may be asked, what it costs, what was found out about it.

A key is known by the name of an environment variable and read where the asking is done; its value
is nowhere stored, shown or written. An endpoint keeps its address and model for life, because the
answers that were bought from it are known by them: another model is another endpoint.
"""

import os
from collections.abc import Mapping, Sequence

from db.access import model_endpoints as access
from db.access.events import add_event
from db.access.model_endpoints import KnownEndpoint
from db.engine import Database, Session
from schemas.errors import InvalidInput, NotFound
from schemas.model_endpoints import EndpointSettings, EndpointView
from schemas.people import Actor
from schemas.synthesis import SynthesisOrder


def put_endpoint(database: Database, who: Actor, settings: EndpointSettings) -> EndpointView:
    """Add an endpoint, or change weight, limits, prices, key and form of one that is known.

    Raises:
        InvalidInput: `models.name_taken`, by another address or model.
    """
    who.require("admin")
    with database.transaction() as session:
        known = access.find_endpoint(session, who.project_id, settings.name)
        if known is not None and (known.settings.url, known.settings.model) != (
            settings.url,
            settings.model,
        ):
            raise InvalidInput("models.name_taken", name=settings.name, url=known.settings.url)
        endpoint_id = access.write_endpoint(session, who.project_id, settings, who.person_id)
        action = "added" if known is None else "changed"
        add_event(session, who, "model_endpoint", endpoint_id, action, after=settings.name)
        found = access.find_endpoint(session, who.project_id, settings.name)
    assert found is not None
    return _view(found)


def list_endpoints(database: Database, who: Actor) -> list[EndpointView]:
    """Every endpoint, by name."""
    who.require("admin")
    with database.reading() as session:
        return [_view(each) for each in access.list_endpoints(session, who.project_id)]


def get_endpoint(database: Database, who: Actor, name: str) -> EndpointView:
    """The endpoint of a name.

    Raises:
        NotFound: `models.not_found`.
    """
    who.require("admin")
    with database.reading() as session:
        found = access.find_endpoint(session, who.project_id, name)
    if found is None:
        raise NotFound("models.not_found", name=name)
    return _view(found)


def remove_endpoint(database: Database, who: Actor, name: str) -> None:
    """Forget an endpoint; what it answered is kept, and batches that need it stop.

    Raises:
        NotFound: `models.not_found`.
    """
    who.require("admin")
    with database.transaction() as session:
        endpoint_id = access.remove_endpoint(session, who.project_id, name)
        if endpoint_id is None:
            raise NotFound("models.not_found", name=name)
        add_event(session, who, "model_endpoint", endpoint_id, "removed", before=name)


def named_order(
    database: Database, who: Actor, names: Sequence[str], values: Mapping[str, object]
) -> SynthesisOrder:
    """An order to endpoints by name; the first of them makes the keys of the answers.

    Raises:
        NotFound: `models.not_found`.
        InvalidInput: what the order refuses, or `models.currencies_differ`.
    """
    names = tuple(dict.fromkeys(names))
    first, *_ = found = [get_endpoint(database, who, name).settings for name in names]
    currencies = {each.currency for each in found if each.is_priced}
    if len(currencies) > 1:
        raise InvalidInput("models.currencies_differ", names=", ".join(sorted(currencies)))
    leading = {"endpoint": first.url, "model": first.model, "key_env": first.key_env}
    return SynthesisOrder.read({**values, **leading, "endpoints": names})


def read_lanes(session: Session, project_id: str, order: SynthesisOrder) -> list[EndpointSettings]:
    """The endpoints that share an order, as they are set now; one that is named by no name, too.

    Raises:
        NotFound: `models.not_found`, also where the first is not the one that was ordered.
    """
    if not order.endpoints:
        return [
            EndpointSettings(name="-", url=order.endpoint, model=order.model, key_env=order.key_env)
        ]
    known = access.read_endpoints(session, project_id, order.endpoints)
    for name in order.endpoints:
        if name not in known:
            raise NotFound("models.not_found", name=name)
    first = known[order.endpoints[0]]
    if (first.url, first.model) != (order.endpoint, order.model):
        raise NotFound("models.not_found", name=first.name)
    return [known[name] for name in order.endpoints]


def read_repairer(
    session: Session, project_id: str, order: SynthesisOrder
) -> EndpointSettings | None:
    """Who repairs, where that is another than who answers.

    Raises:
        NotFound: `models.not_found`.
    """
    if order.repair is None or order.repair.endpoint is None:
        return None
    name = order.repair.endpoint
    known = access.read_endpoints(session, project_id, [name])
    if name not in known:
        raise NotFound("models.not_found", name=name)
    return known[name]


def _view(found: KnownEndpoint) -> EndpointView:
    key_env = found.settings.key_env
    has_key = key_env is None or bool(os.environ.get(key_env, "").strip())
    return EndpointView(id=found.id, settings=found.settings, probe=found.probe, has_key=has_key)
