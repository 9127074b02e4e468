"""Plausible plans of the fake endpoint, in the form that a prompt asks for."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from schemas.scoring.wire import to_text


def plan_for(messages: Sequence[Mapping[str, str]], seed: str) -> dict[str, Any]:
    """A plausible plan, canonical: one to three of the experts named in the prompt."""
    _, _, listed = messages[0]["content"].partition("\n# ")
    listed = listed.partition("\n# ")[0] or messages[0]["content"]
    experts = re.findall(r"^- (.+?)(?:：|: |$)", listed, re.MULTILINE)
    experts = list(dict.fromkeys(experts)) or ["expert"]
    query = messages[-1]["content"].strip()
    clauses = [each for each in re.split(r"[，。？！；,.?!;]\s*", query) if each] or [query]
    number = int(seed[:8], 16)
    count = min(1 + number % 3, len(experts))
    chosen = [experts[(number // 7 + place * 3) % len(experts)] for place in range(count)]
    chosen = list(dict.fromkeys(chosen))
    return {
        "rewritten_query": query,
        "steps": [
            {"expert": name, "sub_questions": [clauses[place % len(clauses)]], "order": place + 1}
            for place, name in enumerate(chosen)
        ],
    }


def plan_text(plan: Mapping[str, Any], messages: Sequence[Mapping[str, str]]) -> str:
    """The plan as the prompt's example writes it."""
    if "补全后的问题" in messages[0]["content"] and '"专家"' in messages[0]["content"]:
        return to_text(plan, "zh@1")
    return json.dumps(plan, ensure_ascii=False).replace("<", "\\u003c")
