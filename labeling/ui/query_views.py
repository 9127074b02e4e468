"""How a query is drawn: dialogue, suggestions, annotations, timeline."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labeling.ui.comment_views import comments_view, place_words
from labeling.ui.i18n import Words, moment
from labeling.ui.view import Node, card, facts, node, pill
from schemas.comments import CommentView, PlanPlace
from schemas.desk import SuggestionView, Turn
from schemas.list_impact_report import MovedRow
from schemas.queries import AnnotationView, QueryDetail, RevisionView, TimelineEntry
from schemas.reasons import Reason

_KINDS = {"waiting": "quiet", "ready": "", "in_work": "warn", "in_review": "warn", "decided": "ok"}
_STATES = {"draft": "quiet", "submitted": "warn", "accepted": "ok", "returned": "bad"}


def state_pill(state: str, words: Words) -> Node:
    """A query's state."""
    return pill(words(f"queries.state_{state}"), _KINDS[state])


def detail_view(
    found: QueryDetail, words: Words, said: Mapping[str, Sequence[CommentView]] | None = None
) -> Node:
    """Everything about one query; `said` are the comments on its annotations, by their ids."""
    said = said or {}
    return node(
        "div",
        card(
            words("queries.dialogue"),
            *dialogue(found.history, words),
            node("h2", found.text),
            facts(
                [
                    ("ID", found.external_id or found.id),
                    (words("queries.list"), found.expert_list),
                    (words("queries.prompt"), f"{found.prompt} · {found.dialect}"),
                    (words("queries.imported"), moment(found.created_at)),
                ]
            ),
            *(_move(found.id, each, words) for each in found.moves),
            right=state_pill(found.state, words),
        ),
        *([card(words("queries.answer"), node("pre", found.answer))] if found.answer else []),
        *(_annotation(each, words, said.get(each.id, ())) for each in found.annotations),
        *(suggestion_card(each, words) for each in found.suggestions),
        card(words("queries.timeline"), *(_event(each, words) for each in found.timeline)),
        cls="pw-view",
    )


def dialogue(history: tuple[Turn, ...], words: Words) -> list[Node]:
    """The turns before the query."""
    names = {"user": words("queries.role_user"), "assistant": words("queries.role_assistant")}
    return [
        node(
            "div",
            node("span", names.get(turn.role, turn.role)),
            node("span", turn.content),
            cls="pw-turn",
        )
        for turn in history
    ]


def plan_view(plan: Mapping[str, Any], words: Words) -> Node:
    """A plan as people read it; whatever it lacks is left blank."""
    steps: Any = plan.get("steps") or []
    lines: list[Node] = [node("p", node("b", str(plan.get("rewritten_query") or "–")))]
    for step in steps:
        questions = step.get("sub_questions") or []
        lines.append(
            node(
                "div",
                node("span", str(step.get("order", ""))),
                node("span", node("b", str(step.get("expert", ""))), *map(_question, questions)),
                cls="pw-turn pw-step",
            )
        )
    if not steps:
        lines.append(node("p", words("queries.no_steps"), cls="pw-mute"))
    return node("div", *lines)


def named_trace(trace: str, experts: Iterable[str]) -> Node:
    """A thinking with the experts of a plan marked where they are named, the longest name first."""
    names = sorted({each for each in experts if each}, key=len, reverse=True)
    if not names:
        return node("div", trace, cls="pw-read")
    parts = re.split(f"({'|'.join(map(re.escape, names))})", trace)
    marked = [
        node("b", each, cls="pw-named") if odd % 2 else each for odd, each in enumerate(parts)
    ]
    return node("div", *(each for each in marked if each), cls="pw-read")


def suggestion_card(found: SuggestionView, words: Words) -> Node:
    """One answer of a model: its thinking folded, its plan, or why there is none."""
    title = words("queries.suggestion", number=found.candidate, model=found.model or "–")
    parts: list[Node] = []
    if found.trace:
        length = words("queries.trace", length=found.trace_length)
        trace = node("div", found.trace, cls="pw-trace")
        parts.append(node("details", node("summary", length), trace, key=f"t{found.id}"))
    if found.plan is not None:
        parts.append(plan_view(found.plan, words))
    if found.failure is not None:
        parts.append(node("p", words.sentence(found.failure, {}), cls="pw-bad-text"))
    if found.partial_plan is not None:
        parts.append(node("pre", json.dumps(found.partial_plan, ensure_ascii=False, indent=1)))
    right = pill(words("queries.repaired"), "warn") if found.is_repaired else None
    return card(title, *parts, right=right)


def _annotation(found: AnnotationView, words: Words, said: Sequence[CommentView]) -> Node:
    states = [pill(words(f"queries.annotation_{found.state}"), _STATES.get(found.state, "quiet"))]
    if found.flag:
        states.append(pill(f"{words('queries.flagged')}: {found.flag}", "warn"))
    title = words("queries.annotation", name=found.author or words("queries.hidden_author"))
    newest = next((each for each in found.revisions if each.id == found.revision_id), None)
    shown = newest.plan if newest else found.draft
    verdicts = [
        node(
            "div",
            f"{moment(each.at)} · {each.reviewer} · {words(f'queries.verdict_{each.verdict}')}",
            *(node("div", _reason(reason, shown, words)) for reason in each.reasons),
            cls="pw-mute",
        )
        for each in found.reviews
    ]
    body = [plan_view(shown, words)] if shown else []
    talk = comments_view(said, shown, words)
    earlier = [_earlier(each, found, words) for each in found.revisions if each is not newest]
    return card(
        title, *body, *earlier, *verdicts, *talk, right=node("span", *states, cls="pw-line")
    )


def _reason(reason: Reason, plan: Mapping[str, Any] | None, words: Words) -> str:
    """Why, in words, and the place that it is about."""
    known = words.area("desk").get(f"reason.{reason.code}", reason.code)
    place = PlanPlace.model_construct(path=reason.path) if reason.path else None
    said = (
        known,
        place and place_words(place, plan, words),
        reason.span and f"“{reason.span.quote}”",
        reason.remark,
    )
    return " · ".join(filter(None, said))


def _earlier(version: RevisionView, found: AnnotationView, words: Words) -> Node:
    """Another version, folded; over an accepted one it can be put back."""
    who = version.author or words("queries.hidden_author")
    kind = words(f"queries.version_{version.kind}")
    head = words("queries.version", number=version.number, kind=kind, name=who)
    body = [plan_view(version.plan, words)]
    if found.state == "accepted" and version.kind != "refused":
        act = f"{found.id} {version.id} {found.revision_id}"
        body.append(node("button", words("queries.put_back"), pick=act))
    summary = node("summary", f"{head} · {moment(version.at)}")
    return node("details", summary, *body, key=f"r{version.id}")


def _move(query_id: str, found: MovedRow, words: Words) -> Node:
    """Where a query was moved from, or to, as a line that leads there."""
    rule = words(f"experts.kind_{found.rule}")
    if found.query_id == query_id:
        said = words("queries.moved_from", reference=found.before, rule=rule)
        other: str | None = found.parent_query_id
    else:
        said = words("queries.moved_to", reference=found.after, rule=rule)
        other = found.query_id
    if other is None:
        return node("p", words("queries.moved_nowhere", reference=found.after), cls="pw-mute")
    return node("p", node("a", said, href=f"/{words.language}/queries?query={other}"))


def _event(entry: TimelineEntry, words: Words) -> Node:
    who = entry.person or words("queries.hidden_author")
    known = words.area("queries")
    action = known.get(f"action_{entry.action}", entry.action)
    states = [known.get(f"annotation_{each}", each) for each in (entry.before, entry.after) if each]
    change = " → ".join(dict.fromkeys(states))
    return node(
        "div",
        node("span", moment(entry.at)),
        node("span", f"{who} · {action}", node("span", f" {change}", cls="pw-mute")),
        cls="pw-turn pw-event",
    )


def _question(text: object) -> Node:
    return node("div", str(text))
