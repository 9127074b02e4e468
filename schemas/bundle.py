"""What is told about a bundle: before it is written, while it is, and ever after."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, JsonValue

from schemas.recipe import BundleRecipe, SourceKind

PoolName = Literal["sft", "grpo"]
BundleState = Literal["writing", "verifying", "ready", "ready_lengths_unknown", "refused"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceFigures(_Value):
    """One source of a pool: what there was, what was taken, and why the rest was not.

    `exclusions` maps a reason (`reason_…` in the area `export`) to a count.
    """

    kind: SourceKind
    lists: tuple[str, ...]
    found: int
    taken: int
    share: float
    """Of the pool's rows, as taken."""
    exclusions: dict[str, int]


class Spread(_Value):
    """How the rows of a pool are spread, by plan size (steps), list (NAME@N) and trace state.

    `by_expert` counts steps.
    """

    rows: int
    by_size: dict[int, int]
    by_list: dict[str, int]
    mean_trace_length: float | None
    by_trace_state: dict[str, int]
    by_expert: dict[str, int] = {}


class ExpertShift(_Value):
    """The share of an expert among all steps, before and after a cut."""

    expert: str
    before: float
    after: float


class Shift(_Value):
    """How far the selection of short traces moved the experts of a pool.

    `distance` is the total variation (0 to 1), an alarm from `threshold` on; `experts` are those
    that moved most.
    """

    distance: float
    threshold: float
    is_alarm: bool
    experts: tuple[ExpertShift, ...]


class NearFigures(_Value):
    """What the rows of a pool ask more than once, or nearly.

    `rows` of them are in `groups`, each of which is on one side of the split. `bridges` are near to
    a group that they are not in, and may be on the other side.
    """

    groups: int
    rows: int
    bridges: int


class PoolFigures(_Value):
    """What a recipe makes of one pool; `before` is all that was usable, before shares and cuts.

    Of the rows, `plain` are written without thinking in a recipe that thinks. `shift` is told where
    traces were selected by length, `near` where rows are set apart to validate.
    """

    pool: PoolName
    sources: tuple[SourceFigures, ...]
    train: int
    val: int
    spread: Spread
    before: Spread
    plain: int = 0
    shift: Shift | None = None
    near: NearFigures | None = None


class RecipePreview(_Value):
    """What a recipe would write, with one example row (JSON text) of each file.

    Of the files in `at_most` there are at most so many rows; all other counts are exact, but for
    `waiting` changes that have not been looked at. `not_compared` questions have not been held
    against the others yet, which may move some rows from one side of the split to the other. Of
    `not_scored` queries the shortest suggestion is counted, though the rewards may take another.
    """

    recipe: BundleRecipe
    pools: tuple[PoolFigures, ...]
    files: dict[str, int]
    """Rows of each file."""
    at_most: tuple[str, ...] = ()
    waiting: int = 0
    not_compared: int = 0
    not_scored: int = 0
    examples: dict[str, str]
    weights: dict[str, float]


class FileFact(_Value):
    """A file of a bundle."""

    sha256: str
    bytes: int
    rows: int | None = None


class BundleSummary(_Value):
    """A bundle in a list."""

    bundle_id: str
    name: str
    state: BundleState
    rows: dict[str, int]
    created_at: datetime
    created_by: str | None


class BundleView(BundleSummary):
    """A bundle with everything that pages and commands show.

    `refusal` is a code with its values, ready for `sentence`; `verification` is what ms-swift read
    back; `progress` is (rows written, rows to write) while the bundle is being written.
    """

    folder: str
    recipe: BundleRecipe
    pools: tuple[PoolFigures, ...]
    files: dict[str, FileFact]
    manifest_hash: str | None
    refusal: dict[str, JsonValue] | None
    verification: dict[str, JsonValue] | None
    progress: tuple[int, int] | None


class Recalled(_Value):
    """One row of a bundle that came from a query."""

    bundle_id: str
    bundle: str
    file: str
    line: int


class FileDifference(_Value):
    """Rows of one file of two bundles, told apart by their hash."""

    file: str
    only_a: int
    only_b: int
    both: int


class BundleDifference(_Value):
    """Two bundles side by side: rows by file, and keys of the recipe that differ."""

    a: str
    b: str
    files: tuple[FileDifference, ...]
    recipe: dict[str, tuple[JsonValue, JsonValue]]


AUGMENTED, PLAIN, REDERIVED = "augmented", "plain", "rederived"


class RowOrigin(NamedTuple):
    """What a line of a dataset file is made of; a manifest holds one for each line, in order.

    `source_id` and `trace_id` are a revision, a suggestion, or the query itself where its old
    answer is read; `against_id` is the rejected suggestion (`dpo`) or the accepted revision
    (`kto`). `variant` is `augmented` for a twin under a changed list, `plain` where both sides of a
    pair had to do without thinking, `rederived` where the thinking was written anew for the
    accepted plan, else empty.
    """

    kind: SourceKind
    query_id: str
    source_id: str
    trace_id: str | None
    against_id: str | None
    source_hash: str
    row_hash: str = ""
    variant: str = ""


class Rebuilt(NamedTuple):
    """The outcome of a rebuild: how many files, and those whose bytes differ from the manifest."""

    files: int
    differing: tuple[str, ...]
    code_changed: bool


Refusal = Mapping[str, JsonValue]
