"""The alarms of a chain or run on the command line, with what to do about each."""

from collections.abc import Sequence

from labeling.command_line import CommandContext
from schemas.sentences import sentence
from schemas.training import ChainView, RunView
from schemas.training_alarms import Alarm


def with_words(context: CommandContext, view: ChainView | RunView) -> dict[str, object]:
    """A chain or run as JSON, each alarm with what it says and what to do."""
    alarms = [
        {
            **each.model_dump(mode="json"),
            "says": sentence(each.code, each.values, context.language),
            "advice": sentence(each.advice, {}, context.language),
        }
        for each in view.alarms
    ]
    return {**view.model_dump(mode="json"), "alarms": alarms}


def tell_alarms(context: CommandContext, alarms: Sequence[Alarm]) -> None:
    """Two lines for each."""
    for each in alarms:
        said = sentence(each.code, each.values, context.language)
        print(f"! {each.stage} {each.step}: {said}")
        print(f"  {sentence(each.advice, {}, context.language)}")
