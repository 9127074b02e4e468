"""What a client must know to ask a planner as it was trained to be asked."""

from db.access import serving as access
from db.access import training
from db.engine import Database, Session
from db.tables import Planner
from exports.training.deployments import list_endpoints
from exports.training.planners import find_planner, find_trained
from exports.training.serve import MODEL
from schemas.dialects import get_dialect
from schemas.errors import InvalidInput
from schemas.experts import ExpertList
from schemas.people import Actor
from schemas.project import ProjectSettings
from schemas.prompt import render_system
from schemas.serving import Contract
from schemas.settings import Settings


def contract_of(database: Database, settings: Settings, who: Actor, reference: str) -> Contract:
    """The contract of a planner under the project's current prompt, list and dialect.

    `url` is where it answers now; none where nobody serves it.

    Raises:
        NotFound: `evaluate.planner_not_found`.
        InvalidInput: `evaluate.no_prompt`, `serving.no_list`.
    """
    who.require("reviewer")
    planner = find_planner(database, who, reference)
    endpoints = list_endpoints(database, settings, who, planner_id=planner.id)
    ready = next((each.url for each in endpoints if each.state == "ready"), None)
    with database.reading() as session:
        return contract_in(session, settings, planner, planner.endpoint or ready)


def contract_in(
    session: Session, settings: Settings, planner: Planner, url: str | None
) -> Contract:
    """The contract of a planner inside a transaction."""
    project = ProjectSettings.model_validate(
        training.get_project(session, planner.project_id).settings
    )
    prompt_id, list_id = project.current_prompt_version_id, project.current_list_version_id
    if prompt_id is None:
        raise InvalidInput("evaluate.no_prompt")
    if list_id is None:
        raise InvalidInput("serving.no_list")
    trained = find_trained(session, settings, planner)
    with_thinking = trained.with_thinking if trained else True
    experts = ExpertList.model_validate(training.get_list_content(session, list_id))
    prompt, expert_list = access.find_references(session, prompt_id, list_id)
    return Contract(
        url=url,
        model=planner.model or MODEL,
        with_thinking=with_thinking,
        template=trained.template if trained else None,
        dialect=project.dialect,
        window=project.window,
        experts=tuple(each.name for each in experts.experts),
        prompt=prompt,
        expert_list=expert_list,
        system=render_system(
            training.get_prompt(session, prompt_id).template,
            experts,
            project.window,
            get_dialect(project.dialect),
            with_thinking=with_thinking,
        ),
    )
