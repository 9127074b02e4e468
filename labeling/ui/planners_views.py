"""How planners are drawn: the list, and one with where it comes from and what became of it."""

from collections.abc import Mapping, Sequence

from labeling.ui.evaluation_views import planner_name
from labeling.ui.i18n import Words, moment
from labeling.ui.view import Node, card, facts, node, pill, table
from schemas.evaluation import PlannerView
from schemas.serving import (
    Contributor,
    EndpointView,
    EvaluationLink,
    GeneralCheckView,
    Lineage,
    RunLink,
)

_TONES = {
    "ready": "ok",
    "silent": "warn",
    "failed": "bad",
    "stopped": "quiet",
    "succeeded": "ok",
    "done": "ok",
}


def planners_view(
    found: Sequence[PlannerView],
    accuracies: Mapping[str, tuple[str, float]],
    endpoints: Mapping[str, EndpointView],
    words: Words,
) -> Node:
    """The planners of the project; `accuracies` and `endpoints` are each one's newest."""
    rows: list[tuple[str | None, list[Node]]] = []
    for each in found:
        about = f"{moment(each.created_at)} · {(each.checkpoint_hash or each.endpoint or '')[:24]}"
        benchmark, accuracy = accuracies.get(each.id, ("", None))
        endpoint = endpoints.get(each.id)
        mark = [pill(words("planners.promoted"), "ok")] if each.is_promoted else []
        served = endpoint_pill(endpoint, words) if endpoint and endpoint.is_live else "–"
        name = node("div", planner_name(each, words), *mark, cls="pw-line")
        rows.append(
            (
                each.id,
                [
                    node("div", name, node("div", about, cls="pw-mute pw-one-line")),
                    node(
                        "div",
                        "–" if accuracy is None else f"{accuracy:.1%}",
                        node("div", benchmark, cls="pw-mute"),
                    ),
                    served,
                ],
            )
        )
    heads = [words(f"planners.{name}") for name in ("planner", "accuracy", "endpoint")]
    listing = table(heads, rows, empty=words("planners.none"))
    return card(words("planners.planners"), listing)


def lineage_view(found: Lineage, words: Words) -> Node:
    """One planner: endpoint first, then back to people, then forward."""
    title = words("planners.where_from")
    mark = pill(words("planners.promoted"), "ok") if found.planner.is_promoted else None
    return node(
        "div",
        card(found.planner.name, facts(_facts(found, words)), right=mark),
        *_endpoints(found.endpoints, words),
        card(title, *_backward(found, words)),
        card(words("planners.what_became"), *_forward(found, words)),
        cls="pw-view",
    )


def endpoint_pill(found: EndpointView, words: Words) -> Node:
    """How an endpoint is."""
    text = words.sentence(f"serving.state_{found.state}", {})
    return pill(text, _TONES.get(found.state, ""))


def endpoint_view(found: EndpointView, words: Words) -> Node:
    """An endpoint: where it answers, why it is over, the end of its log."""
    pairs: list[tuple[str, Node]] = [
        (words("planners.url"), node("code", found.url or "–")),
        (words("planners.model"), node("code", found.model)),
        (words("planners.key"), f"…{found.key_end}"),
        (words("planners.machine"), found.machine),
        (words("planners.started"), _who_when(found, words)),
    ]
    if found.ended_at is not None:
        pairs.append((words("planners.ended"), moment(found.ended_at)))
    parts: list[Node] = [facts(pairs)]
    if found.reason:
        kind = "pw-bad-text" if found.state == "failed" else "pw-mute"
        parts.append(node("p", words.sentence(found.reason, found.values), cls=kind))
    if found.log_tail:
        summary = node("summary", words("planners.log"))
        log = node("pre", found.log_tail, key=f"log-{found.id}")
        parts.append(node("details", summary, log, key=f"logs-{found.id}"))
    if found.command:
        summary = node("summary", words("planners.command"))
        parts.append(
            node("details", summary, node("pre", found.command), key=f"command-{found.id}")
        )
    return card(words("planners.endpoint"), *parts, right=endpoint_pill(found, words))


def checkpoints_view(
    found: Sequence[RunLink], endpoints: Mapping[str, EndpointView], words: Words
) -> Node:
    """What the runs of a chain have saved, each to be served."""
    rows: list[tuple[str | None, list[Node]]] = []
    for each in found:
        served = endpoints.get(each.planner_id or "")
        stage = words.sentence(f"training.stage_{each.stage}", {})
        href = f"/{words.language}/planners?planner={each.planner_id}"
        became: Node = (
            node("a", each.planner or "", href=href) if each.planner_id else each.run_id[-6:]
        )
        is_live = served is not None and served.is_live
        act: Node = node("button", words("planners.serve"), pick=each.run_id, cls="pw-button")
        if served is not None and is_live:
            act = endpoint_pill(served, words)
        rows.append((None, [stage, became, act]))
    heads = [words("planners.stage"), words("planners.planner"), words("planners.endpoint")]
    return card(words("planners.of_run"), table(heads, rows, empty=""))


def key_view(key: str, words: Words) -> Node:
    """A key, this once."""
    return card(
        words("planners.key_once"),
        node(
            "div",
            node("pre", key),
            node("button", words("planners.copy"), copy=key),
            cls="pw-command",
        ),
        node("p", words("planners.key_kept"), cls="pw-mute"),
    )


def _facts(found: Lineage, words: Words) -> list[tuple[str, Node]]:
    planner = found.planner
    if planner.is_external:
        return [(words("planners.url"), f"{planner.endpoint} · {planner.model}")]
    return [
        (words("planners.checkpoint"), node("code", planner.checkpoint_hash or "–")),
        (words("planners.base"), found.base_model or "–"),
    ]


def _endpoints(found: Sequence[EndpointView], words: Words) -> list[Node]:
    return [endpoint_view(found[0], words)] if found else []


def _backward(found: Lineage, words: Words) -> list[Node]:
    if found.run is None or found.bundle is None:
        return [node("p", words("planners.external_hint"), cls="pw-mute")]
    bundle = found.bundle
    page = f"/{words.language}"
    pairs: list[tuple[str, Node]] = [
        (words("planners.run"), _run(found.run, words, is_own=True)),
        (
            words("planners.bundle"),
            node(
                "div",
                node("a", bundle.name, href=f"{page}/datasets?bundle={bundle.bundle_id}"),
                node("span", f" · {found.file} · {bundle.created_by or '–'}", cls="pw-mute"),
            ),
        ),
    ]
    for each in found.rows:
        if not each.rows:
            continue
        kind = words.sentence(f"export.kind_{each.kind}", {})
        pairs.append((words("planners.rows_of", kind=kind), f"{each.rows:,}"))
    for name, rows in found.lists.items():
        pairs.append((words("planners.under_list", expert_list=name), f"{rows:,}"))
    for each in found.begun_from:
        pairs.append((words("planners.begun_from"), _run(each, words)))
    return [facts(pairs), _people(found.contributors, words)]


def _people(found: Sequence[Contributor], words: Words) -> Node:
    heads = [words(f"planners.{name}") for name in ("person", "labelled", "reviewed")]
    rows: list[tuple[str | None, list[Node]]] = [
        (None, [each.name, f"{each.labelled:,}", f"{each.reviewed:,}"]) for each in found
    ]
    return table(heads, rows, empty=words("planners.no_people"))


def _forward(found: Lineage, words: Words) -> list[Node]:
    pairs: list[tuple[str, Node]] = [
        (each.benchmark, _evaluation(each, words)) for each in found.evaluations
    ]
    pairs += [(each.benchmark, _general(each, words)) for each in found.general_checks]
    older = found.endpoints[1:]
    pairs += [(words("planners.endpoint"), _endpoint(each, words)) for each in older[:5]]
    pairs += [(words("planners.later"), _run(each, words)) for each in found.later_runs]
    if not pairs:
        return [node("p", words("planners.nothing_became"), cls="pw-mute")]
    return [facts(pairs)]


def _evaluation(found: EvaluationLink, words: Words) -> Node:
    accuracy = "–" if found.accuracy is None else f"{found.accuracy:.1%}"
    page = f"/{words.language}/evaluation?evaluation={found.evaluation_id}"
    return node(
        "div",
        node("a", accuracy, href=page),
        node("span", f" · {moment(found.created_at)}", cls="pw-mute"),
    )


def _general(found: GeneralCheckView, words: Words) -> Node:
    if found.reason is not None:
        return node("span", words.sentence(found.reason, found.values), cls="pw-bad-text")
    if found.state == "running":
        return node("div", pill(words("planners.general_running")), node("span", " EvalScope"))
    accuracy = "–" if found.accuracy is None else f"{found.accuracy:.1%}"
    about = f" · EvalScope · {found.questions or 0:,} · {moment(found.created_at)}"
    return node("div", accuracy, node("span", about, cls="pw-mute"))


def _endpoint(found: EndpointView, words: Words) -> Node:
    return node(
        "div",
        endpoint_pill(found, words),
        node("span", f" {_who_when(found, words)}", cls="pw-mute"),
    )


def _who_when(found: EndpointView, words: Words) -> str:
    return f"{moment(found.created_at)} · {found.created_by or words('planners.command_line')}"


def _run(found: RunLink, words: Words, *, is_own: bool = False) -> Node:
    page = f"/{words.language}"
    name = f"{found.recipe} · {found.stage} · {found.run_id[-6:]}"
    link: Node = node("a", name, href=f"{page}/training?run={found.chain_id}")
    state = words.sentence(f"training.state_{found.state}", {})
    parts: list[Node] = [link if found.chain_id else name, " "]
    parts.append(pill(state, _TONES.get(found.state, "")))
    if found.planner_id and not is_own:
        became = node("a", found.planner or "", href=f"{page}/planners?planner={found.planner_id}")
        parts += [" → ", became]
    return node("div", *parts)
