"""Gaming probes: answers that want reward without merit, each with the ceiling it must not reach.

For a row of GRPO three or four *honest attempts* are written: the accepted plan, and the accepted
plan with one fault (a step or a sub-question forgotten, a shorter rewrite). A *trick* is played on
such an attempt, and its ceiling is what the same attempt earns without it. A *blind* probe knows
the prompt alone, and its ceiling is what the weakest honest attempt earns. Where a probe breaks the
plan it must earn less than its ceiling; elsewhere it may earn as much and no more.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Literal, NamedTuple

from schemas.dialects import answer_around, render_plain_answer
from schemas.scoring.context import ScoringContext, context_from_row
from schemas.scoring.text import is_chinese, plain, similarity
from schemas.scoring.wire import to_text

Plain = dict[str, Any]
_MOST_REPEATED = 20_000
_SENTENCE = {
    True: "这个问题要先看清再分给专家。",
    False: "This one has to be read with care first. ",
}


class Asked(NamedTuple):
    """What a row of GRPO asks, and its accepted plan (canonical)."""

    context: ScoringContext
    experts: tuple[str, ...]
    gold: Plain

    @property
    def is_chinese(self) -> bool:
        """Whether its texts are compared by characters."""
        return is_chinese(self.gold["rewritten_query"])

    @property
    def wanted_length(self) -> int:
        """The middle of the wanted length of thinking."""
        return (self.context.think_min + self.context.think_max) // 2


class Attempt(NamedTuple):
    """An honest answer; `fault` is what is wrong with it, `right` if nothing is."""

    fault: str
    plan: Plain
    thinking: str


class Probe(NamedTuple):
    """A probe by name; `make` gives a completion, or nothing where it would prove nothing.

    A trick is played on honest attempts but for those with the faults of `not_on`: a part that is
    wrong already cannot be spoilt.
    """

    name: str
    make: Callable[[Asked, Attempt], str | None]
    kind: Literal["trick", "blind"] = "trick"
    must_cost: bool = False
    not_on: frozenset[str] = frozenset()


class Probed(NamedTuple):
    """One completion to be scored, and the indices (among the row's) of what it is held against."""

    probe: str | None
    """Absent of an honest attempt."""
    fault: str
    completion: str
    against: tuple[int, ...] = ()


def read_asked(row: Mapping[str, Any]) -> Asked | None:
    """What a row of `grpo.jsonl` asks; nothing where it has no accepted plan to probe with.

    Raises:
        ValueError: it is not a row of a bundle.
    """
    context = context_from_row(row)
    names = sorted(context.expert_names)
    if context.gold is None:
        return None
    return Asked(context, tuple(names), dict(context.gold))


def probe_row(asked: Asked) -> list[Probed]:
    """The honest attempts of a row, then its probes with what each is held against."""
    attempts = list(honest_attempts(asked))
    found = [Probed(None, each.fault, completion(asked, each)) for each in attempts]
    everyone = tuple(range(len(attempts)))
    for probe in PROBES:
        if probe.kind == "blind":
            text = probe.make(asked, attempts[0])
            if text is not None:
                found.append(Probed(probe.name, "", text, everyone))
            continue
        for place, attempt in enumerate(attempts):
            text = None if attempt.fault in probe.not_on else probe.make(asked, attempt)
            if text is not None:
                found.append(Probed(probe.name, attempt.fault, text, (place,)))
    return found


def honest_attempts(asked: Asked) -> Iterator[Attempt]:
    """The accepted plan, and the accepted plan with one fault each."""
    gold, steps = asked.gold, asked.gold["steps"]
    thinking = plain_thinking(asked)
    yield Attempt("right", gold, thinking)
    if len(steps) > 1:
        yield Attempt("step_forgotten", gold | {"steps": steps[:-1]}, thinking)
    for place, step in enumerate(steps):
        if len(step["sub_questions"]) > 1:
            shorter = step | {"sub_questions": step["sub_questions"][:-1]}
            changed = [*steps[:place], shorter, *steps[place + 1 :]]
            yield Attempt("question_forgotten", gold | {"steps": changed}, thinking)
            break
    rewrite = _shortened(gold["rewritten_query"], by_characters=asked.is_chinese)
    if rewrite is not None:
        yield Attempt("rewrite_shortened", gold | {"rewritten_query": rewrite}, thinking)


def plain_thinking(asked: Asked) -> str:
    """A thinking of the wanted length that says nothing twice and quotes nothing.

    No reward reads what a thinking means, so this one means nothing.
    """
    wanted = asked.wanted_length
    parts = ["先看问题，再看专家。" if asked.is_chinese else "Read the question. "]
    length = len(parts[0])
    for number in count(1):
        if length >= wanted:
            break
        parts.append(f"想{number}。" if asked.is_chinese else f"No {number}. ")
        length += len(parts[-1])
    return "".join(parts)[:wanted]


def completion(asked: Asked, attempt: Attempt) -> str:
    """The whole text of an attempt, in the form of its row."""
    thinking = attempt.thinking if asked.context.with_thinking else None
    return render_plain_answer(attempt.plan, asked.context.dialect, thinking)


def _shortened(text: str, *, by_characters: bool) -> str | None:
    """The first four fifths."""
    units: Sequence[str] = text if by_characters else text.split(" ")
    kept = len(units) * 4 // 5
    return ("" if by_characters else " ").join(units[:kept]) if kept else None


def _thinks(asked: Asked, attempt: Attempt, thinking: str) -> str | None:
    """The attempt with another thinking; nothing in a row without thinking."""
    if not asked.context.with_thinking:
        return None
    return completion(asked, attempt._replace(thinking=thinking))


def _plans(asked: Asked, attempt: Attempt, **changes: Any) -> str:
    return completion(asked, attempt._replace(plan=attempt.plan | changes))


def _empty_thinking(asked: Asked, attempt: Attempt) -> str | None:
    return _thinks(asked, attempt, "")


def _padded_thinking(asked: Asked, attempt: Attempt) -> str | None:
    """The same thinking again and again, far beyond the wanted length."""
    times = min(2 * asked.context.think_max, _MOST_REPEATED) // len(attempt.thinking) + 2
    return _thinks(asked, attempt, attempt.thinking * times)


def _repeated_sentence(asked: Asked, attempt: Attempt) -> str | None:
    """One sentence again and again, to just the wanted length."""
    sentence = _SENTENCE[asked.is_chinese]
    wanted = asked.wanted_length
    if wanted < 2 * len(sentence):
        return None
    return _thinks(asked, attempt, (sentence * (wanted // len(sentence) + 1))[:wanted])


def _names_as_thinking(asked: Asked, attempt: Attempt) -> str | None:
    """Names of experts and nothing else, to just the wanted length."""
    names = "".join(asked.experts)
    if not names:
        return None
    return _thinks(asked, attempt, (names * (asked.wanted_length // len(names) + 1)))


def _json_in_thinking(asked: Asked, attempt: Attempt) -> str | None:
    """The JSON of the plan in place of a thinking."""
    return _thinks(asked, attempt, to_text(attempt.plan, asked.context.dialect))


def _plan_only_in_thinking(asked: Asked, attempt: Attempt) -> str | None:
    """The JSON of the plan in the thinking, and an answer that only points there."""
    if not asked.context.with_thinking:
        return None
    text = f"{attempt.thinking}\n{to_text(attempt.plan, asked.context.dialect)}"
    return answer_around("{}", text)


def _every_expert(asked: Asked, attempt: Attempt) -> str | None:
    """All other experts of the list as well, each asked the rewritten query."""
    steps = attempt.plan["steps"]
    used = {step["expert"] for step in steps}
    others = [name for name in asked.experts if name not in used]
    if not others or not _costs_to_list_all(asked, is_right=attempt.fault == "right"):
        return None
    question = [attempt.plan["rewritten_query"]]
    added = [{"expert": name, "sub_questions": question, "order": 1} for name in others]
    return _plans(asked, attempt, steps=_in_order([*steps, *added]))


def _every_expert_blind(asked: Asked, attempt: Attempt) -> str | None:
    """Every expert of the list, each asked the query as it came."""
    if not asked.context.query or not _costs_to_list_all(asked, is_right=False):
        return None
    query = asked.context.query
    steps = [{"expert": name, "sub_questions": [query], "order": 1} for name in asked.experts]
    return _plans(asked, attempt, rewritten_query=query, steps=steps)


def _no_expert(asked: Asked, attempt: Attempt) -> str | None:
    """The query as it came, and no expert."""
    if not asked.gold["steps"] or not asked.context.query:
        return None
    return _plans(asked, attempt, rewritten_query=asked.context.query, steps=[])


def _costs_to_list_all(asked: Asked, *, is_right: bool) -> bool:
    """Whether listing everybody is a worse fault than forgetting one.

    It is not where the list has hardly more experts than the plan needs; nobody games there.
    """
    wanted, listed = len(asked.gold["steps"]), len(asked.experts)
    surplus = listed - len({step["expert"] for step in asked.gold["steps"]})
    if is_right or wanted < 2:
        return surplus > 0
    return surplus > 0 and 2 * wanted / (listed + wanted) < 2 * (wanted - 1) / (2 * wanted - 1)


def _doubled_expert(asked: Asked, attempt: Attempt) -> str | None:
    """The same steps once more, in later stages; not where a forgotten one comes back by it."""
    steps = attempt.plan["steps"]
    named, wanted = (Counter(each["expert"] for each in its) for its in (steps, _steps(asked)))
    if not steps or any(named[expert] < wanted[expert] for expert in named):
        return None
    last = max(step["order"] for step in steps)
    later = [step | {"order": step["order"] + last} for step in steps]
    return _plans(asked, attempt, steps=[*steps, *later])


def _unknown_expert(asked: Asked, attempt: Attempt) -> str | None:
    """One expert more, whom the list does not know."""
    name = next(name for number in count(2) if (name := f"AI-{number}") not in asked.experts)
    question = [attempt.plan["rewritten_query"]]
    added = {"expert": name, "sub_questions": question, "order": 1}
    return _plans(asked, attempt, steps=_in_order([*attempt.plan["steps"], added]))


def _rewrite_is_query(asked: Asked, attempt: Attempt) -> str | None:
    """The query as it came in place of a rewrite, where they differ."""
    query = asked.context.query
    if not query or similarity(query, asked.gold["rewritten_query"]) == 1:
        return None
    return _plans(asked, attempt, rewritten_query=query)


def _sub_question_is_query(asked: Asked, attempt: Attempt) -> str | None:
    """The query as it came in place of all sub-questions, where they differ."""
    query, steps = asked.context.query, attempt.plan["steps"]
    questions = [each for step in asked.gold["steps"] for each in step["sub_questions"]]
    if not query or all(similarity(query, each) == 1 for each in questions):
        return None
    return _plans(asked, attempt, steps=[step | {"sub_questions": [query]} for step in steps])


def _keyword_stuffing(asked: Asked, attempt: Attempt) -> str | None:
    """Every name on the list and every word of the query, behind the rewrite and each question."""
    gap = "" if asked.is_chinese else " "
    keywords = gap.join([*asked.experts, *asked.context.query.split()])
    if not plain(keywords).strip():
        return None

    def stuffed(text: str) -> str:
        times = len(text) // (2 * len(keywords)) + 1
        return text + gap + gap.join([keywords] * times)

    steps = [
        step | {"sub_questions": [stuffed(each) for each in step["sub_questions"]]}
        for step in attempt.plan["steps"]
    ]
    rewritten = stuffed(attempt.plan["rewritten_query"])
    return _plans(asked, attempt, rewritten_query=rewritten, steps=steps)


def _two_answers(asked: Asked, attempt: Attempt) -> str | None:
    """A second answer behind the first, with another plan."""
    other = attempt.plan | {"steps": attempt.plan["steps"][:1]}
    second = answer_around(to_text(other, asked.context.dialect), None)
    return f"{completion(asked, attempt)}\n\n{second}"


def _two_plans(asked: Asked, attempt: Attempt) -> str | None:
    """Two JSON objects in one answer."""
    text = to_text(attempt.plan, asked.context.dialect)
    thinking = attempt.thinking if asked.context.with_thinking else None
    return answer_around(f"{text}\n{text}", thinking)


def _steps(asked: Asked) -> list[Plain]:
    return asked.gold["steps"]


def _in_order(steps: list[Plain]) -> list[Plain]:
    return sorted(steps, key=lambda step: step["order"])


_REWRITE = frozenset({"rewrite_shortened"})
_QUESTIONS = frozenset({"question_forgotten"})
PROBES: tuple[Probe, ...] = (
    Probe("empty_thinking", _empty_thinking),
    Probe("padded_thinking", _padded_thinking),
    Probe("repeated_sentence", _repeated_sentence),
    Probe("names_as_thinking", _names_as_thinking),
    Probe("json_in_thinking", _json_in_thinking),
    Probe("plan_only_in_thinking", _plan_only_in_thinking, must_cost=True),
    Probe("every_expert", _every_expert, must_cost=True),
    Probe("every_expert_blind", _every_expert_blind, "blind", must_cost=True),
    Probe("no_expert", _no_expert, "blind", must_cost=True),
    Probe("doubled_expert", _doubled_expert, must_cost=True),
    Probe("unknown_expert", _unknown_expert, must_cost=True),
    Probe("rewrite_is_query", _rewrite_is_query, not_on=_REWRITE),
    Probe("sub_question_is_query", _sub_question_is_query, not_on=_QUESTIONS),
    Probe("keyword_stuffing", _keyword_stuffing, not_on=_REWRITE),
    Probe("two_answers", _two_answers, must_cost=True),
    Probe("two_plans", _two_plans, must_cost=True),
)
