"""Published prompts and guidelines as people see them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PromptVersionView(_Value):
    """One published prompt template."""

    version_id: str
    name: str
    version: int
    template: str
    published_by: str | None
    published_at: datetime
    is_current: bool

    @property
    def reference(self) -> str:
        """`NAME@VERSION`, as commands write it."""
        return f"{self.name}@{self.version}"


class PublishedPrompt(_Value):
    """The answer to publishing: not new if the template stood there before."""

    version_id: str
    reference: str
    is_new: bool


class Guideline(_Value):
    """One version of what annotators go by, in Markdown."""

    version: int
    text: str
    published_by: str | None
    published_at: datetime
