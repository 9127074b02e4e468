"""Every table, so that one import fills the metadata."""

from db.tables.annotations import Annotation, Draft, Review, Revision, Task, TaskSkip
from db.tables.facts import FactProfile, QueryChange, RowFact
from db.tables.lists import (
    ListChange,
    ListDraft,
    ListWork,
    MigrationProposal,
    RefusedListDraft,
)
from db.tables.people import Membership, Person, SetupLink, SignIn, SignInAttempt
from db.tables.projects import Event, GuidelineVersion, ListVersion, Project, PromptVersion
from db.tables.quality import (
    Comment,
    GoldAnswer,
    GoldItem,
    Lot,
    LotItem,
    ReviewBatch,
    ReviewBatchItem,
    WorkPause,
)
from db.tables.queries import (
    Benchmark,
    BenchmarkQuestion,
    ImportFile,
    NearCluster,
    Query,
    Suggestion,
)
from db.tables.synthesis import BlindDecode, Rederivation, SynthesisBatch, SynthesisRequest
from db.tables.training import (
    Bundle,
    BundleRow,
    Chain,
    Evaluation,
    EvaluationAnswer,
    Planner,
    Run,
)
from db.tables.work import WorkBatch, WorkBatchPerson

__all__ = [
    "Annotation",
    "Benchmark",
    "BenchmarkQuestion",
    "BlindDecode",
    "Bundle",
    "BundleRow",
    "Chain",
    "Comment",
    "Draft",
    "Evaluation",
    "EvaluationAnswer",
    "Event",
    "FactProfile",
    "GoldAnswer",
    "GoldItem",
    "GuidelineVersion",
    "ImportFile",
    "ListChange",
    "ListDraft",
    "ListVersion",
    "ListWork",
    "Lot",
    "LotItem",
    "Membership",
    "MigrationProposal",
    "NearCluster",
    "Person",
    "Planner",
    "Project",
    "PromptVersion",
    "Query",
    "QueryChange",
    "Rederivation",
    "RefusedListDraft",
    "Review",
    "ReviewBatch",
    "ReviewBatchItem",
    "Revision",
    "RowFact",
    "Run",
    "SetupLink",
    "SignIn",
    "SignInAttempt",
    "Suggestion",
    "SynthesisBatch",
    "SynthesisRequest",
    "Task",
    "TaskSkip",
    "WorkBatch",
    "WorkBatchPerson",
    "WorkPause",
]
