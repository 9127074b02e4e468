"""What a planner's server would run on, told before anybody starts it."""

from db.access import serving as access
from db.engine import Database
from exports.training import places
from exports.training.planners import find_planner, find_trained
from schemas.people import Actor
from schemas.settings import Settings
from schemas.training import Told


def devices_to_serve_on(
    database: Database, settings: Settings, who: Actor, reference: str
) -> Told | None:
    """A sentence of `serving`; None for a planner that is served, or that is served elsewhere.

    Raises:
        NotFound: `evaluate.planner_not_found`.
    """
    who.require("reviewer")
    planner = find_planner(database, who, reference)
    with database.reading() as session:
        trained = find_trained(session, settings, planner)
        if trained is None or access.find_live(session, planner.id) is not None:
            return None
        if trained.is_on_cpu:
            return Told(code="serving.takes_cpu")
        chosen = places.choose_free(session, settings, who.project_id)
    if chosen.taken is not None:
        values = {"device": chosen.taken, "holder": chosen.holder}
        return Told(code="serving.takes_none", values={**values})
    if not chosen.devices:
        return Told(code="serving.takes_unknown")
    return Told(code="serving.takes_device", values={"device": ",".join(chosen.devices)})
