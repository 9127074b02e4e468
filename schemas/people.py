"""Who acts: people, roles, and the actor that every service asks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.errors import NotAllowed
from schemas.sentences import Language

Role = Literal["annotator", "reviewer", "admin"]
ROLES: tuple[Role, ...] = ("annotator", "reviewer", "admin")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person at work in one project, with the role held there now."""

    person_id: str
    name: str
    project_id: str
    project: str
    role: Role
    language: Language

    def require(self, role: Role) -> None:
        """Refuse unless this actor holds the role or one above it.

        Raises:
            NotAllowed: `accounts.role_needed`.
        """
        if ROLES.index(self.role) < ROLES.index(role):
            raise NotAllowed("accounts.role_needed", role=role, name=self.name)


class Member(BaseModel):
    """Somebody with a role in a project, as the team page shows them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person_id: str
    name: str
    role: Role
    is_active: bool
    since: datetime


class Preferences(BaseModel):
    """How somebody wants to see the pages; nothing chosen is None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language | None = None
    theme: Literal["light", "dark"] | None = None
