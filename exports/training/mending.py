"""One click on a check that did not pass: the same order with its fix, started anew."""

from db.access import training
from db.durable import Durable
from db.engine import Database
from exports.training.chain import start_chain
from exports.training.fixes import mended
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.settings import Settings
from schemas.training import ChainOrder, Check


def mend_chain(  # noqa: PLR0917  who, what, with what: as every service, in this order
    database: Database,
    durable: Durable,
    settings: Settings,
    who: Actor,
    chain_id: str,
    check_name: str,
) -> str:
    """Start a chain again with the fix of one of its checks; the new chain's id.

    Raises:
        NotFound: `training.chain_not_found`.
        InvalidInput: `training.no_fix`.
    """
    who.require("admin")
    with database.reading() as session:
        chain = training.get_chain(session, who.project_id, chain_id)
        bundle_id, recipe, told = chain.bundle_id, chain.recipe, chain.order
        said = training.stage_report(chain.report, "preflight").get("checks")
    checks = [Check.model_validate(each) for each in said] if isinstance(said, list) else []
    check = next((each for each in checks if each.name == check_name and each.fix), None)
    if check is None or check.fix is None:
        raise InvalidInput("training.no_fix", name=check_name)
    order = mended(ChainOrder.model_validate(told), recipe, check.fix)
    return start_chain(database, durable, settings, who, bundle_id, recipe, order)
