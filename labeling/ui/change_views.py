"""Questions whose answer changed: the accepted plan beside both answers, with what is wrong marked.

In an answer, an expert that the accepted plan does not call in that stage is struck out, and one
that is missing stands in its place; these two are what accuracy looks at.
"""

from collections import Counter
from difflib import SequenceMatcher

from labeling.ui.i18n import Words
from labeling.ui.view import Node, card, node, pill, table
from schemas.agreement import experts_by_stage
from schemas.evaluation import AnswerRead, ChangedQuestion, ChangedQuestions, SentToAnnotation
from schemas.plan import Plan
from schemas.scoring.text import is_chinese

_AT_FIRST = 8


def changes_view(found: ChangedQuestions, names: tuple[str, str], words: Words) -> Node:
    """The questions of a kind, one below the other."""
    title = words(f"evaluation.kind_{found.kind}")
    count = words("evaluation.shown_of", shown=len(found.shown), total=f"{found.total:,}")
    if not found.shown:
        return card(title, node("p", words(f"evaluation.none_{found.kind}"), cls="pw-empty"))
    questions = [_changed(each, names, words) for each in found.shown]
    more: list[Node] = []
    if rest := questions[_AT_FIRST:]:
        summary = node("summary", words("evaluation.more", count=len(rest)))
        more = [node("details", summary, *rest, key=f"more-{found.kind}")]
    hint = node("p", words("evaluation.never_trained"), cls="pw-mute")
    return card(title, hint, *questions[:_AT_FIRST], *more, right=count)


def _changed(found: ChangedQuestion, names: tuple[str, str], words: Words) -> Node:
    columns = [
        node("div", node("h4", words("evaluation.gold")), *_plan(found.gold), cls="pw-said"),
        *(
            _answer(each, found.gold, name, words)
            for each, name in zip((found.before, found.after), names, strict=True)
        ),
    ]
    to_annotation = node(
        "button", words("evaluation.label_alike"), pick=found.question_id, cls="pw-button"
    )
    return node(
        "div",
        node("div", node("b", found.question), to_annotation, cls="pw-asked"),
        node("div", *columns, cls="pw-three"),
        cls="pw-changed",
    )


def _answer(found: AnswerRead, gold: Plan, name: str, words: Words) -> Node:
    fault = found.fault
    mark = pill(words(f"evaluation.fault_{fault}"), "bad") if fault else pill("✓", "ok")
    length = "" if found.think_length is None else f"{found.think_length:,.0f}"
    heading = node("h4", name, mark, node("span", length, title=words("evaluation.think_length")))
    plan = [] if found.plan is None else _against(found.plan, gold)
    raw = node(
        "details", node("summary", words("evaluation.whole_answer")), node("pre", found.completion)
    )
    return node("div", heading, *plan, raw, cls="pw-said")


def _plan(plan: Plan) -> list[Node]:
    steps = [_step(each.order, each.expert, each.sub_questions) for each in plan.steps]
    return [node("p", plan.rewritten_query), *steps]


def _against(plan: Plan, gold: Plan) -> list[Node]:
    """A plan with what is not in the accepted one struck out, and what is missing put in."""
    wanted = experts_by_stage(gold.to_plain())
    left = {order: Counter(names) for order, names in wanted.items()}
    nodes: list[Node] = [node("p", *_marked(plan.rewritten_query, gold.rewritten_query))]
    steps: list[tuple[int, Node]] = []
    for each in plan.steps:
        is_wanted = left.get(each.order, Counter())[each.expert] > 0
        if is_wanted:
            left[each.order][each.expert] -= 1
        expert: Node = each.expert if is_wanted else node("del", each.expert)
        steps.append((each.order, _step(each.order, expert, each.sub_questions)))
    for order, names in left.items():
        for name in names.elements():
            steps.append((order, _step(order, node("ins", name), (), is_missing=True)))
    return nodes + [each for _, each in sorted(steps, key=lambda pair: pair[0])]


def _step(order: int, expert: Node, asked: tuple[str, ...], *, is_missing: bool = False) -> Node:
    return node(
        "div",
        node("span", str(order), cls="pw-order"),
        node("div", node("b", expert), *(node("div", each, cls="pw-mute") for each in asked)),
        cls="pw-step pw-missing" if is_missing else "pw-step",
    )


def _marked(text: str, reference: str) -> list[Node]:
    """A text with what the other does not say marked; by characters in Chinese, else by words."""
    by_characters = is_chinese(reference)
    mine = list(text) if by_characters else text.split(" ")
    other = list(reference) if by_characters else reference.split(" ")
    space = "" if by_characters else " "
    nodes: list[Node] = []
    for kind, a, b, c, d in SequenceMatcher(None, other, mine, autojunk=False).get_opcodes():
        gone, said = space.join(other[a:b]), space.join(mine[c:d])
        if kind == "equal":
            nodes += [said, space]
            continue
        if said:
            nodes += [node("del", said), space]
        if gone:
            nodes += [node("ins", gone), space]
    return nodes


def sent_view(found: SentToAnnotation, words: Words) -> Node:
    """The queries that were brought forward in place of a question."""
    told = words("evaluation.sent", queries=len(found.queries), batch=found.batch)
    heads = [words("evaluation.query"), words("evaluation.likeness")]
    rows: list[tuple[str | None, list[Node]]] = [
        (None, [each.text, f"{each.likeness:.0%}"]) for each in found.queries
    ]
    return card(words("evaluation.sent_title"), node("p", told), table(heads, rows, empty=""))
