"""How an expert list is drawn."""

from collections.abc import Sequence

from pydantic import JsonValue

from labeling.ui.i18n import Words
from labeling.ui.view import Node, card, node, table
from schemas.experts import Expert, ExpertList


def list_view(found: ExpertList, words: Words) -> Node:
    """One version: experts, tools, services."""
    heads = [words(f"experts.{each}") for each in ("expert", "description")]
    rows = [(None, [_name(each, words), each.description]) for each in found.experts]
    return node(
        "div",
        card(found.reference, table(heads, rows, empty=words("experts.no_experts"))),
        _things(words("experts.tools"), found.tools),
        _things(words("experts.services"), found.services),
        cls="pw-view",
    )


def _name(expert: Expert, words: Words) -> Node:
    aliases = words("experts.aliases", names=words.listed(expert.aliases)) if expert.aliases else ""
    inputs = words("experts.inputs", names=words.listed(expert.inputs)) if expert.inputs else ""
    notes = [node("div", each, cls="pw-mute") for each in (aliases, inputs) if each]
    return node("div", node("b", expert.name), *notes)


def _things(title: str, things: Sequence[dict[str, JsonValue]]) -> Node:
    if not things:
        return ""
    rows = [
        (None, [node("b", str(each.get("name", ""))), str(each.get("description", ""))])
        for each in things
    ]
    return card(f"{title} · {len(things)}", table(["", ""], rows, empty=""))
