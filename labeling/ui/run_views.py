"""How curves, alarms and differences of training runs are drawn; `run_page.js` draws the lines."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from exports.training.live import Live
from exports.training.overlay import Difference
from labeling.ui.assets_version import module
from labeling.ui.i18n import Words
from labeling.ui.view import Node, card, node, pill, table
from schemas.project import REWARDS
from schemas.training_alarms import Alarm

_GRPO = (
    "frac_reward_zero_std",
    "completions/clipped_ratio",
    "kl",
    "reward_std",
    "loss",
    "learning_rate",
    "grad_norm",
    "entropy/mean",
)
_SFT = ("token_acc", "learning_rate", "grad_norm", "eval_loss")
_PREFERENCE = ("rewards/accuracies", "rewards/margins", "kl", "learning_rate", "grad_norm")
_LENGTHS = ("mean", "max", "min")


def chart_specs(words: Words) -> dict[str, list[dict[str, Any]]]:
    """What is drawn of each stage, by the trainer's names of its metrics."""
    grpo = [
        _rewards(words),
        _lengths(words),
        *(_one(name, words) for name in _GRPO),
        *(
            _one(f"rewards/{name}/mean", words, words(f"datasets.reward_{name}"))
            for name in REWARDS
        ),
    ]
    loss = _one("loss", words) | {"tall": True}
    preferred = [_preferences(words), *(_one(name, words) for name in _PREFERENCE)]
    return {
        "grpo": grpo,
        "kto": [loss, *preferred],
        "dpo": [loss, *preferred],
        "sft": [loss, *(_one(name, words) for name in _SFT)],
    }


def _rewards(words: Words) -> dict[str, Any]:
    lines: list[dict[str, Any]] = [
        {"metric": f"rewards/{name}/mean", "label": words(f"datasets.reward_{name}"), "tone": tone}
        for tone, name in enumerate(REWARDS)
    ]
    total = {
        "metric": "reward",
        "label": words("training.line_total"),
        "tone": 7,
        "thick": True,
        "scale": True,
    }
    title = words("training.chart_rewards")
    return {"id": "rewards", "title": title, "tall": True, "lines": [total, *lines]}


def _lengths(words: Words) -> dict[str, Any]:
    lines = [
        {
            "metric": f"completions/{each}_length",
            "label": words(f"training.line_{each}"),
            "tone": tone,
            "thick": each == "mean",
        }
        for each, tone in zip(_LENGTHS, (0, 1, 2), strict=True)
    ]
    title, unit = words("training.curve_completions_mean_length"), words("training.unit_tokens")
    return {"id": "lengths", "title": title, "unit": unit, "lines": lines}


def _preferences(words: Words) -> dict[str, Any]:
    """What the planner thinks of the better and of the worse answer, against its reference."""
    lines = [
        {
            "metric": f"rewards/{each}",
            "label": words(f"training.line_{each}"),
            "tone": tone,
            "thick": each == "chosen",
        }
        for tone, each in enumerate(("chosen", "rejected"))
    ]
    return {"id": "preferences", "title": words("training.chart_preferences"), "lines": lines}


def _one(metric: str, words: Words, title: str = "") -> dict[str, Any]:
    title = title or words(f"training.curve_{metric.replace('/', '_')}")
    line = {"metric": metric, "label": title, "tone": 0}
    return {"id": metric, "title": title, "lines": [line]}


def curves(words: Words) -> gr.HTML:
    """The place where curves and log are drawn; give it `curves_value`."""
    script = (
        "const again = () => trigger('pick', { id: 'again' });\n"
        f'import("{module("run_page.js")}")'
        ".then((page) => page.mount({ element, props, again, watch }));"
    )
    options: dict[str, Any] = {"words": words.area("training"), "charts": chart_specs(words)}
    return gr.HTML(
        {},
        html_template="<div class='pw-run'></div>",
        js_on_load=script,
        head=f'<link rel="stylesheet" href="{module("run.css")}">',
        apply_default_css=False,
        padding=False,
        elem_id="training-curves",
        **options,
    )


def curves_value(news: Live) -> dict[str, Any]:
    """What `run_page.js` is told."""
    log = news.log
    return {
        "chains": [
            {
                "id": each.chain_id,
                "label": each.label,
                **each.stages,
                "weight": each.weight,
            }
            for each in news.chains
        ],
        "have": {run_id: shown for run_id, (shown, _) in news.seen.runs.items()},
        "parts": [{**each._asdict(), "run": each.run_id} for each in news.parts],
        "log": log and {"run": log.run_id, "first": log.first, "next": log.next, "text": log.text},
    }


def alarms_view(alarms: Sequence[Alarm], words: Words) -> Node:
    """Every alarm with its figures and what to do."""
    told = [
        node(
            "div",
            node(
                "div",
                pill(words(f"training.alarm_{each.name}"), "warn"),
                node("span", words("training.at_step", stage=each.stage.upper(), step=each.step)),
                cls="pw-line pw-mute",
            ),
            node("p", words.sentence(each.code, each.values)),
            node("p", words.sentence(each.advice, {}), cls="pw-mute"),
            cls="pw-alarm",
            id=f"alarm-{each.name}",
        )
        for each in alarms
    ]
    return card(words("training.alarms"), *told)


def differences_view(
    found: Sequence[Difference], labels: Sequence[str], words: Words
) -> list[Node]:
    """What differs between runs that are laid over one another."""
    rows = [(None, [_name(each.name, words), *map(_value, each.values)]) for each in found]
    listing = table(["", *labels], rows, empty=words("training.no_differences"))
    return [card(words("training.differences"), listing)]


def _name(name: str, words: Words) -> str:
    kind, _, rest = name.partition(".")
    if kind == "weight":
        return words("training.weight_of", reward=words(f"datasets.reward_{rest}"))
    if rest:
        return f"{kind.upper()} · {rest}"
    known = {"bundle", "recipe", "model", "stages"}
    return words(f"training.differs_{name}" if name in known else "training.differs_manifest")


def _value(text: str) -> Node:
    return text or node("span", "–", cls="pw-mute")
