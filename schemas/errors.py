"""How Planwright fails.

An expected failure is an exception of this family. It carries a code (`area.name`) and values; its
sentence for it stands in `schemas/sentences/{zh,en}/area.json` and is rendered at the edge, in the
reader's language: what happened, to which thing, what to do now. `str(error)` is the English one.

* `NotFound`: the thing named does not exist in this project.
* `InvalidInput`: what came in cannot be used; `problems` lists every place.
* `TransitionRefused`: the thing is not in a state that allows this step.
* `EditConflict`: someone saved in between; nothing was overwritten.
* `NotAllowed`: this person's role does not include this act.
* `ModelServiceError`: a model endpoint could not be used.
* `ExportRefused`: a bundle would not be true.
* `TrainingError`: a run cannot start or did not succeed.

Problems inside a plan are values (`schemas.scoring.check.Problem`), because an editor shows all of
them at once. Anything outside the family is a defect: masked on screen, logged under a number.
"""

from collections.abc import Sequence

from schemas.scoring.check import Problem
from schemas.sentences import Language, sentence


class PlanwrightError(Exception):
    """An expected failure: a code and the values its sentence names."""

    def __init__(self, code: str, /, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    def sentence(self, language: Language) -> str:
        """The failure in the reader's language."""
        return sentence(self.code, self.values, language)

    def __str__(self) -> str:
        return self.sentence("en")


class NotFound(PlanwrightError):
    """The thing named does not exist in this project."""


class InvalidInput(PlanwrightError):
    """What came in cannot be used; `problems` lists every place, and may be empty."""

    def __init__(self, code: str, /, problems: Sequence[Problem] = (), **values: object) -> None:
        super().__init__(code, **values)
        self.problems = tuple(problems)

    def problem_lines(self, language: Language) -> list[str]:
        """`path: sentence` of every problem; a code without an area is one of a plan."""
        return [
            f"{path}: {sentence(code if '.' in code else f'plan.{code}', values, language)}"
            for path, code, values in self.problems
        ]


class TransitionRefused(PlanwrightError):
    """The thing is not in a state that allows this step."""


class EditConflict(PlanwrightError):
    """Someone saved in between (`who`, `when` among the values); nothing was overwritten."""


class NotAllowed(PlanwrightError):
    """This person's role does not include this act."""


class ModelServiceError(PlanwrightError):
    """A model endpoint could not be used."""


class ExportRefused(PlanwrightError):
    """A bundle would not be true to its rows."""


class TrainingError(PlanwrightError):
    """A run cannot start or did not succeed."""
