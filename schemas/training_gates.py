"""Gates of a chain: what must be reached before GRPO begins; a person may pass one all the same."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue

ACCURACY, FLAT = "training.gate_accuracy", "training.gate_flat"
GATES = (ACCURACY, FLAT)


class Gates(BaseModel):
    """Absent where nothing is asked for; shares from 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy_at_least: float | None = Field(default=None, ge=0, le=1)
    """Of the short evaluation before GRPO."""
    flat_at_most: float | None = Field(default=None, ge=0, le=1)
    """Share of sampled GRPO prompts whose completions all earn the same."""

    def without(self, code: str) -> "Gates":
        """The gates after a person has passed the one that said `code`."""
        passed = {ACCURACY: "accuracy_at_least", FLAT: "flat_at_most"}
        return self.model_copy(update={passed[code]: None}) if code in passed else self


class Missed(NamedTuple):
    """A gate that was not reached: code and values of its sentence."""

    code: str
    values: Mapping[str, JsonValue]


def missed_accuracy_gate(gates: Gates, accuracy: float) -> Missed | None:
    """Whether an evaluation is below what is asked for."""
    least = gates.accuracy_at_least
    if least is None or accuracy >= least:
        return None
    return Missed(ACCURACY, {"least": f"{least * 100:.1f}"})


def missed_flat_gate(gates: Gates, flat: float) -> Missed | None:
    """Whether more groups than are allowed would teach nothing."""
    most = gates.flat_at_most
    if most is None or flat <= most:
        return None
    return Missed(FLAT, {"most": f"{most * 100:.0f}"})
