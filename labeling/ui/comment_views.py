"""What was said on an annotation, to be read where its query is shown."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from labeling.ui.i18n import Words, moment
from labeling.ui.view import Node, node, pill
from schemas.comments import Anchor, CommentView, PlanPlace, Span

_PLACE = re.compile(r"^\$\.steps\[(\d+)\](?:\.sub_questions\[(\d+)\])?")


def comments_view(
    said: Sequence[CommentView], plan: Mapping[str, Any] | None, words: Words
) -> list[Node]:
    """Threads in the order in which they began, folded when there are any."""
    if not said:
        return []
    say = words.area("comments")
    threads = [each for each in said if each.reply_to_id is None]
    is_open = sum(each.resolved_at is None for each in threads)
    title = f"{say['comments.title']} · {say['comments.open'].format(count=is_open)}"
    parts = [
        _thread(each, [reply for reply in said if reply.reply_to_id == each.id], plan, words)
        for each in threads
    ]
    return [node("details", node("summary", title), *parts, key=f"c{said[0].id}")]


def place_words(anchor: Anchor, plan: Mapping[str, Any] | None, words: Words) -> str:
    """A place as people say it: step 2, sub-question 1."""
    if isinstance(anchor, Span):
        return words("desk.trace.title")
    if not isinstance(anchor, PlanPlace) or anchor.path == "$":
        return words.area("comments")["comments.whole"]
    if anchor.path == "$.rewritten_query":
        return words("desk.editor.rewritten_query")
    found = _PLACE.match(anchor.path)
    if found is None:
        return words("desk.path.whole_plan")
    number = int(found[1])
    steps: Any = (plan or {}).get("steps") or []
    expert = str(steps[number].get("expert", "")) if number < len(steps) else "–"
    if found[2] is None:
        return words("desk.path.step", number=number + 1, expert=expert)
    return words("desk.path.step_sub", number=number + 1, expert=expert, sub=int(found[2]) + 1)


def _thread(
    first: CommentView, replies: Sequence[CommentView], plan: Mapping[str, Any] | None, words: Words
) -> Node:
    say = words.area("comments")
    quote = "" if first.anchor.kind == "whole" else first.anchor.quote.strip()
    head: list[Node] = [node("b", place_words(first.anchor, plan, words))]
    if first.resolved_at is not None:
        who = first.resolved_by or words("queries.hidden_author")
        time = moment(first.resolved_at)
        head.append(pill(say["comments.resolved_by"].format(who=who, time=time), "ok"))
    return node(
        "div",
        node("p", *head, cls="pw-line"),
        *([node("p", f"“{quote}”", cls="pw-mute pw-clamp")] if quote else []),
        *(_said(each, words) for each in (first, *replies)),
        cls="pw-stage",
    )


def _said(each: CommentView, words: Words) -> Node:
    who = each.author or words("queries.hidden_author")
    return node(
        "div",
        node("span", moment(each.at)),
        node("span", node("b", who), node("span", f" {each.text}")),
        cls="pw-turn pw-event",
    )
