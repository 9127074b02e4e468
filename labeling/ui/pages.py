"""The pages of the product: who may see each, and who builds it."""

from collections.abc import Callable
from dataclasses import dataclass

from labeling.ui.datasets import build_datasets_page
from labeling.ui.evaluation import build_evaluation_page
from labeling.ui.experts import build_experts_page
from labeling.ui.i18n import Words
from labeling.ui.label import build_label_page
from labeling.ui.planners import build_planners_page
from labeling.ui.quality import build_quality_page
from labeling.ui.queries import build_queries_page
from labeling.ui.review import build_review_page
from labeling.ui.session import Services
from labeling.ui.synthesis import build_synthesis_page
from labeling.ui.team import build_team_page
from labeling.ui.training import build_training_page
from schemas.people import ROLES, Actor, Role


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page: its path and name, the least role that sees it, its builder."""

    name: str
    role: Role
    build: Callable[[Services, Words], object]


PAGES: tuple[PageEntry, ...] = (
    PageEntry("label", "annotator", build_label_page),
    PageEntry("review", "reviewer", build_review_page),
    PageEntry("queries", "reviewer", build_queries_page),
    PageEntry("synthesis", "admin", build_synthesis_page),
    PageEntry("experts", "reviewer", build_experts_page),
    PageEntry("datasets", "admin", build_datasets_page),
    PageEntry("training", "admin", build_training_page),
    PageEntry("evaluation", "admin", build_evaluation_page),
    PageEntry("planners", "reviewer", build_planners_page),
    PageEntry("quality", "reviewer", build_quality_page),
    PageEntry("team", "admin", build_team_page),
)


def pages_of(who: Actor) -> tuple[PageEntry, ...]:
    """The pages that this person sees, in the order of the navigation."""
    return tuple(page for page in PAGES if ROLES.index(who.role) >= ROLES.index(page.role))


def home_of(who: Actor) -> str:
    """Where this person begins the day."""
    mine = [page.name for page in pages_of(who)]
    preferred = {"annotator": "label", "reviewer": "review", "admin": "queries"}[who.role]
    return preferred if preferred in mine or not mine else mine[0]
