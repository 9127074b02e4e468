"""What an evaluation asks and judges by: its questions with their truth, its list, its prompt."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from db.access import training
from db.engine import Session
from db.tables import Benchmark, BenchmarkQuestion, Evaluation, Planner
from schemas.evaluation import Terms
from schemas.experts import ExpertList
from schemas.project import ProjectSettings
from schemas.prompt import render_messages
from schemas.scoring.context import ScoringContext

Messages = list[dict[str, str]]


class Exam(NamedTuple):
    """An evaluation in hand."""

    evaluation_id: str
    project_id: str
    asked_of: str
    """Whom: the hash of a checkpoint, or an endpoint and the model's name there."""
    questions: Sequence[BenchmarkQuestion]
    expert_list: ExpertList
    prompt: str
    terms: Terms
    settings: ProjectSettings

    def messages(self, question: BenchmarkQuestion) -> Messages:
        """A question as the planner gets it."""
        return render_messages(
            self.prompt,
            self.expert_list,
            question.history,
            question.text,
            window=self.terms.window,
            dialect=self.terms.dialect,
            with_thinking=self.terms.with_thinking,
        )

    def request_key(self, messages: Messages) -> str:
        """A hash of all that is asked of whom: what has the same one has the same answer."""
        terms = self.terms
        whole = [self.asked_of, messages, terms.max_tokens, terms.with_thinking, terms.template]
        return hashlib.sha256(orjson.dumps(whole)).hexdigest()

    def context(self, question: BenchmarkQuestion, system_prompt: str = "") -> ScoringContext:
        """What an answer to a question is judged against."""
        think = self.settings.think
        return ScoringContext(
            with_thinking=self.terms.with_thinking,
            dialect=self.terms.dialect,
            expert_names=self.expert_list.names,
            gold=question.plan,
            query=question.text,
            system_prompt=system_prompt,
            think_min=think.min,
            think_max=think.max,
            think_eps=think.eps,
            banned_words=self.settings.banned_words,
        )


def load_exam(session: Session, row: Evaluation, question_ids: Sequence[str] | None = None) -> Exam:
    """An evaluation with the questions that it asks, or with these of them.

    What an evaluation without terms does not say is the project's of today.
    """
    benchmark = session.get_one(Benchmark, row.benchmark_id)
    project = training.get_project(session, row.project_id)
    settings = ProjectSettings.model_validate(project.settings)
    terms = terms_of(row, settings)
    if question_ids is None:
        questions = training.list_questions(session, row.benchmark_id, terms.limit)
    else:
        questions = training.list_questions_of(session, row.benchmark_id, question_ids)
    content = training.get_list_content(session, benchmark.list_version_id)
    return Exam(
        evaluation_id=row.id,
        project_id=row.project_id,
        asked_of=identity_of(session.get_one(Planner, row.planner_id)),
        questions=questions,
        expert_list=ExpertList.model_validate(content),
        prompt=training.get_prompt(session, row.prompt_version_id).template,
        terms=terms,
        settings=settings,
    )


def terms_of(row: Evaluation, settings: ProjectSettings) -> Terms:
    """The terms of an evaluation; of one that has none, the project's of today."""
    if row.terms is not None:
        return Terms.model_validate(row.terms)
    return Terms(
        max_tokens=0,
        with_thinking=True,
        template=None,
        limit=None,
        dialect=settings.dialect,
        window=settings.window,
        length_unit="characters",
    )


def identity_of(planner: Planner) -> str:
    """What makes two planners the same one: the bytes of their weights, or where they are."""
    if planner.checkpoint_hash:
        return planner.checkpoint_hash
    return f"{planner.endpoint} {planner.model}"
