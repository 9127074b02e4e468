"""Which experts a trace commits itself to in the end, and whether that is a plan's order.

Experts are a closed list with known aliases, so no judge is needed. A trace is read clause by
clause: an expert that is turned down ("不需要…", "rather than …") takes back what was said of it
before, and one that stands only as a condition ("拿到…的结果后", "once … is done") commits to
nothing. Of what is left, the shortest passage up to the end that names every step is what the trace
commits to last; whatever was weighed before it does not count.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from schemas.agreement import experts_by_stage
from schemas.experts import ExpertList
from schemas.scoring.text import plain

OrderFault = Literal["missing", "extra", "order"]

_END = re.compile(
    r"[,;:!?\n。…]|\.(?!\d)|\b(?:then|but|and then)\b|但|然后|接着|随后|最后|再(?!次)|而是"
)
_NOT_BUT = re.compile(r"不仅|不只|不但|不光|not only|not just|是不是|要不要|需不需要")
_TURNED_DOWN = re.compile(
    r"不需|无需|无须|不用|不必|不请|不找|不调用|不涉及|不是|并非|而非|不选|不考虑|不应|不该|不宜|不再"
    r"|没必要|没有必要|用不到|用不着|排除|去掉|删去|删掉|舍弃|放弃|替换掉|取代|代替|换掉|无关"
    r"|\bnot?\b|n't\b|\bnever\b|\bwithout\b|\binstead of\b|\brather than\b"
    r"|\bunnecessary\b|\bunneeded\b|\bneedless\b|\bunrelated\b|\birrelevant\b|\bskip(?:ping)?\b"
    r"|\bexclud(?:e|ing)\b|\bdrop(?:ping)?\b|\bleave out\b|\bremov(?:e|ing)\b|\brule out\b"
)
_CONTRAST = re.compile(
    r"而是|改为|改请|换成|只需|只要|只请|\bbut\b|\bonly\b|\binstead(?! of)\b|\bjust\b"
)
_CONDITION = re.compile(
    r"(?:依赖于?|基于|根据|取决于|等到?|拿到|有了|得到|需要用到|用到|参考"
    r"|\bdepends? on|\bbased on|\bonce|\bwhen|\bafter|\busing|\bwith|\bgiven|\bneeds?|\bfrom"
    r"|\bwaits? for)"
    r"\W{0,2}(?:the\s+)?[\"'“”‘’「『]?$"
)


class Mention(NamedTuple):
    """An expert's name or alias in the trace: whose, and where in the plain text."""

    expert: str
    start: int
    end: int


class Clause(NamedTuple):
    """What one clause commits to, in order, and whom it turns down."""

    kept: list[Mention]
    down: Sequence[Mention]


def committed_experts(trace: str, expert_list: ExpertList) -> list[list[str]]:
    """The experts that a trace commits itself to, clause by clause, from its beginning."""
    clauses: list[list[str]] = []
    for kept, down in _read_clauses(plain(trace), expert_list):
        for name in {each.expert for each in down}:
            clauses = [[each for each in clause if each != name] for clause in clauses]
        clauses.append([each.expert for each in kept])
    return [clause for clause in clauses if clause]


def first_commit(trace: str, expert_list: ExpertList) -> float | None:
    """Where in a trace, as a share of its length, its experts and their order stand for good.

    What comes after is reflection: it changes nothing. An expert joins the decision at the end; one
    that is turned down leaves it; naming all of them once more in another order is another
    decision. Absent where a trace commits itself to nobody.

    >>> from schemas.experts import Expert
    >>> experts = tuple(Expert(name=each, description="d") for each in ("甲", "乙", "丙"))
    >>> known = ExpertList(name="l", version=1, experts=experts)
    >>> first_commit("先请甲，再请乙。嗯，就这样。", known)
    0.5
    >>> first_commit("先请甲，再请丙。不需要丙，请乙。", known)
    0.9375
    """
    text = plain(trace)
    decision: list[str] = []
    told: list[str] = []  # the present passage that names nobody twice
    decided_at = 0
    for kept, down in _read_clauses(text, expert_list):
        for each in down:
            if each.expert in decision:
                decision = [name for name in decision if name != each.expert]
                told = [name for name in told if name != each.expert]
                decided_at = each.end
        for each in kept:
            told = [each.expert] if each.expert in told else [*told, each.expert]
            is_told_whole = set(told) >= set(decision)
            later = told if is_told_whole else list(dict.fromkeys([*decision, each.expert]))
            if later != decision:
                decision, decided_at = later, each.end
    return decided_at / len(text) if decision else None


def _read_clauses(text: str, expert_list: ExpertList) -> Iterator[Clause]:
    """The clauses of a plain text with what each says of the experts."""
    mentions = _mentions(text, expert_list)
    for start, end in _clauses(text, mentions):
        inside = [each for each in mentions if start <= each.start < end]
        down = _turned_down(text, start, end, inside)
        kept = [
            each
            for each in inside
            if each not in down and not _CONDITION.search(text[start : each.start])
        ]
        yield Clause(kept, down)


def order_fault(trace: str, plan: Mapping[str, Any], expert_list: ExpertList) -> OrderFault | None:
    """Why the last sequence of experts that a trace commits to is not a plan's; none if it is.

    `missing`: it never commits to some step. `extra`: an expert stands in the last sequence that
    the plan does not call. `order`: the steps stand in another order, or it comes back to an
    earlier stage; those of one stage may stand as they like, and be named more than once.

    Args:
        trace: A trace as a model wrote it.
        plan: A canonical plan (plain values), valid under the list.
        expert_list: The list that the query is pinned to.
    """
    stages = [counted for _, counted in sorted(experts_by_stage(plan).items())]
    wanted = sum(stages, Counter[str]())
    clauses = committed_experts(trace, expert_list)
    if not wanted:
        return "extra" if clauses else None
    last: list[str] = []
    for clause in reversed(clauses):
        last = [*clause, *last]
        if wanted <= Counter(last):
            break
    else:
        return "missing"
    if set(last) - set(wanted):
        return "extra"
    return None if _stands_in(stages, last) else "order"


def _stands_in(stages: Sequence[Counter[str]], said: Sequence[str]) -> bool:
    """Whether the stages follow each other in a sequence that ends within the last of them."""
    if said[-1] not in stages[-1]:
        return False
    rest = iter(said)
    for stage in stages:
        open_ = +stage
        while open_:
            name = next(rest, None)
            if name is None:
                return False
            if open_[name]:
                open_ -= Counter([name])
    return True


def _mentions(text: str, expert_list: ExpertList) -> list[Mention]:
    """Names and aliases in order; the longest where one is part of another."""
    named = {plain(each.name): each.name for each in expert_list.experts}
    named = {plain(alias): name for alias, name in expert_list.aliases.items()} | named
    words = sorted((each for each in named if each.strip()), key=len, reverse=True)
    if not words:
        return []
    pattern = "|".join(
        ("(?<![a-z0-9_])" if each[0].isascii() and each[0].isalnum() else "")
        + re.escape(each)
        + ("(?![a-z0-9_])" if each[-1].isascii() and each[-1].isalnum() else "")
        for each in words
    )
    return [
        Mention(named[each[0]], each.start(), each.end()) for each in re.finditer(pattern, text)
    ]


def _clauses(text: str, mentions: Sequence[Mention]) -> list[tuple[int, int]]:
    """Where each clause begins and ends; a mark inside an expert's name ends nothing."""
    ends = [
        each.start()
        for each in _END.finditer(text)
        if not any(name.start < each.end() and each.start() < name.end for name in mentions)
    ]
    starts = [0, *ends]
    return list(zip(starts, [*ends, len(text)], strict=True))


def _turned_down(text: str, start: int, end: int, mentions: Sequence[Mention]) -> Sequence[Mention]:
    """The mentions of a clause that it turns down."""
    clause = _NOT_BUT.sub(lambda found: " " * len(found[0]), text[start:end])
    for each in mentions:  # a name may hold any word
        inside = slice(each.start - start, each.end - start)
        clause = clause[: inside.start] + " " * (each.end - each.start) + clause[inside.stop :]
    found = _TURNED_DOWN.search(clause)
    if found is None or not mentions:
        return ()
    at = start + found.start()
    contrast = _CONTRAST.search(clause, found.end())
    until = start + contrast.start() if contrast else end
    after = [each for each in mentions if at <= each.start < until]
    if after:
        return after
    return [each for each in mentions if each.start < at]
