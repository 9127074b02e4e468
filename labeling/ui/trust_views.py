"""How gold items, people's records on them and pauses are drawn."""

from collections.abc import Sequence

from labeling.ui.i18n import Words, moment
from labeling.ui.query_views import plan_view
from labeling.ui.view import Node, card, interval, node, pill, table
from schemas.gold_items import GoldAnswerView, GoldItemView, GoldRecord
from schemas.pauses import PauseView

_STATES = {"good": "ok", "open": "quiet", "careless": "bad"}


def paused_view(found: Sequence[PauseView], words: Words) -> Node:
    """Who is paused and why, each with a button that lifts it."""
    heads = [words(f"team.{each}") for each in ("name", "paused_why", "paused_by", "paused_at")]
    rows = [
        (
            None,
            [
                each.name,
                _why(each, words),
                each.paused_by or words("team.by_rule"),
                moment(each.paused_at),
                node("button", words("team.lift"), pick=each.person_id),
            ],
        )
        for each in found
    ]
    listing = table([*heads, ""], rows, empty=words("team.nobody_paused"))
    return card(words("team.paused"), listing)


def records_view(found: Sequence[GoldRecord], words: Words) -> Node:
    """How everybody answers gold items."""
    heads = ("name", "gold_right", "gold_error", "gold_score", "gold_state", "gold_last")
    rows = [(each.person_id, _record(each, words)) for each in found]
    listing = table([words(f"team.{each}") for each in heads], rows, empty=words("team.nobody"))
    return card(words("team.gold_records"), listing)


def items_view(found: Sequence[GoldItemView], words: Words) -> Node:
    """The gold items; picking one shows its answers."""
    heads = [words(f"team.{each}") for each in ("gold_item", "gold_right", "state")]
    rows = [(each.query_id, _item(each, words)) for each in found]
    listing = table([*heads, ""], rows, empty=words("team.no_gold"))
    count = sum(each.is_active for each in found)
    return card(words("team.gold_items"), listing, right=words("team.gold_count", count=count))


def answers_view(title: str, found: Sequence[GoldAnswerView], words: Words) -> Node:
    """Answers, the newest first, each with the plan that was handed in, folded."""
    rows = [(None, _answer(each, words)) for each in found]
    heads = [words(f"team.{each}") for each in ("name", "gold_answer", "gold_score", "gold_last")]
    return card(title, table(heads, rows, empty=words("team.no_answers")))


def _why(pause: PauseView, words: Words) -> str:
    if pause.reason_code == "by_gold":
        return words("team.why_gold", wrong=pause.why["wrong"], answered=pause.why["answered"])
    return str(pause.why.get("reason", ""))


def _record(record: GoldRecord, words: Words) -> list[Node]:
    state = pill(words(f"team.gold_is_{record.state}"), _STATES[record.state])
    notes: list[Node] = [state]
    if record.is_paused:
        notes.append(pill(words("team.is_paused"), "warn"))
    if not record.answered:
        return [record.name, "–", "–", "–", node("span", *notes[1:], cls="pw-line"), _at(record)]
    wrong = (record.answered - record.right) / record.answered
    return [
        record.name,
        f"{record.right}/{record.answered}",
        interval(wrong, record.error_low, record.error_high),
        "–" if record.mean_score is None else f"{record.mean_score:.2f}",
        node("span", *notes, cls="pw-line"),
        _at(record),
    ]


def _at(record: GoldRecord) -> str:
    return moment(record.last_at) if record.last_at else "–"


def _item(item: GoldItemView, words: Words) -> list[Node]:
    text = node("div", item.text, cls="pw-clamp", title=item.text)
    about = " · ".join(filter(None, (item.external_id, item.created_by, item.note)))
    href = f"/{words.language}/queries?query={item.query_id}"
    link = node("a", words("team.gold_edit"), href=href, cls="pw-button")
    state = ("active", "ok") if item.is_active else ("gold_retired", "quiet")
    return [
        node("div", text, node("div", about, cls="pw-mute")),
        f"{item.right}/{item.answered}",
        pill(words(f"team.{state[0]}"), state[1]),
        link,
    ]


def _answer(answer: GoldAnswerView, words: Words) -> list[Node]:
    key = f"g{answer.person_id}{answer.query_id}"
    plan = node("details", node("summary", answer.text), plan_view(answer.plan, words), key=key)
    word, kind = ("gold_is_right", "ok") if answer.is_right else ("gold_is_wrong", "bad")
    return [
        answer.name,
        node("div", pill(words(f"team.{word}"), kind), plan),
        f"{answer.score:.2f}",
        moment(answer.answered_at),
    ]
