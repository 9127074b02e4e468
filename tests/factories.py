"""Rows for tests, made by plain functions with sensible defaults."""

from typing import Any

from db.engine import Database
from db.tables import ListVersion, Membership, Person, Project, PromptVersion, Suggestion, Task
from db.tables import Query as QueryRow
from db.tables.base import new_id
from schemas.experts import Expert, ExpertList
from schemas.people import Actor, Role
from schemas.project import ProjectSettings
from schemas.sentences import Language

EXPERTS = ("数据分析专家", "知识问答专家", "策略推荐专家", "诊断专家", "活动报名专家")


def a_project(database: Database, name: str = "main", language: Language = "en") -> Actor:
    """A project with an expert list and a prompt that are current, and its admin."""
    project_id = new_id()
    with database.transaction() as session:
        session.add(Project(id=project_id, name=name))
        session.flush()
        expert_list = ExpertList(
            name="merchant",
            version=1,
            experts=tuple(Expert(name=each, description=f"负责{each[:-2]}") for each in EXPERTS),
        )
        version = ListVersion(
            project_id=project_id,
            name=expert_list.name,
            version=1,
            content=expert_list.model_dump(mode="json"),
            content_hash=expert_list.content_hash,
        )
        prompt = PromptVersion(
            project_id=project_id,
            name="planner",
            version=1,
            template="专家列表：\n{experts}\n",
            content_hash="0" * 64,
        )
        session.add_all([version, prompt])
        session.flush()
        settings = ProjectSettings(
            current_list_version_id=version.id, current_prompt_version_id=prompt.id
        )
        session.get_one(Project, project_id).settings = settings.model_dump(mode="json")
    return a_person(database, project_id, "admin", name=f"admin of {name}", language=language)


def a_person(
    database: Database,
    project_id: str,
    role: Role,
    *,
    name: str | None = None,
    language: Language = "en",
) -> Actor:
    """Somebody with a role in the project; their password never matches."""
    person_id = new_id()
    name = name or f"{role} {person_id[-6:]}"
    with database.transaction() as session:
        session.add(Person(id=person_id, name=name, password_hash="!"))
        session.flush()
        session.add(Membership(project_id=project_id, person_id=person_id, role=role))
        project = session.get_one(Project, project_id).name
    return Actor(
        person_id=person_id,
        name=name,
        project_id=project_id,
        project=project,
        role=role,
        language=language,
    )


def a_query(database: Database, who: Actor, text: str = "上周的流量怎么掉了这么多？") -> str:
    """A query pinned to what is current in the project; returns its id."""
    query_id = new_id()
    with database.transaction() as session:
        settings = ProjectSettings.model_validate(session.get_one(Project, who.project_id).settings)
        assert settings.current_list_version_id
        assert settings.current_prompt_version_id
        session.add(
            QueryRow(
                id=query_id,
                project_id=who.project_id,
                kind="queries",
                import_key=query_id,
                content_hash=query_id,
                text=text,
                list_version_id=settings.current_list_version_id,
                prompt_version_id=settings.current_prompt_version_id,
                dialect=settings.dialect,
                window=settings.window,
                cluster=query_id,
            )
        )
    return query_id


A_PLAN: dict[str, Any] = {
    "rewritten_query": "上周店铺流量为什么下降",
    "steps": [{"expert": EXPERTS[3], "sub_questions": ["上周流量下降的原因"], "order": 1}],
}


def a_label_query(
    database: Database,
    who: Actor,
    text: str = "上周的流量怎么掉了这么多？",
    *,
    slots: int = 1,
    rank: int = 0,
) -> str:
    """A query with its label tasks, as an import leaves it; returns its id."""
    query_id = a_query(database, who, text)
    with database.transaction() as session:
        for slot in range(1, slots + 1):
            session.add(
                Task(
                    project_id=who.project_id,
                    kind="label",
                    query_id=query_id,
                    slot=slot,
                    rank=rank,
                )
            )
    return query_id


def a_suggestion(
    database: Database,
    who: Actor,
    query_id: str,
    *,
    plan: dict[str, Any] | None = None,
    partial_plan: dict[str, Any] | None = None,
    candidate: int = 1,
    trace: str = "先看上周的流量，再找原因。",
) -> str:
    """A model's answer to a query; without any plan it is a failed one. Returns its id."""
    suggestion_id = new_id()
    with database.transaction() as session:
        session.add(
            Suggestion(
                id=suggestion_id,
                project_id=who.project_id,
                query_id=query_id,
                origin="model",
                model="deepseek-r1",
                candidate=candidate,
                trace=trace,
                trace_length=len(trace),
                plan=plan,
                partial_plan=partial_plan,
                failure=None if plan else "replies.no_plan",
            )
        )
        query = session.get_one(QueryRow, query_id)
        query.state = "ready"
    return suggestion_id


def decide(database: Database, who: Actor, **changes: object) -> None:
    """Change settings of a project, whatever they are."""
    with database.transaction() as session:
        project = session.get_one(Project, who.project_id)
        settings = ProjectSettings.model_validate({**project.settings, **changes})
        project.settings = settings.model_dump(mode="json")
