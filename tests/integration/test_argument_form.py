"""The search for arguments on the training form speaks as the program of the recipe does."""

from typing import Any

import gradio as gr

from db.engine import Database
from labeling.ui.i18n import Words
from labeling.ui.session import Services, request_of
from labeling.ui.training_arguments import ArgumentHandlers
from schemas.settings import Settings
from tests.factories import a_project


def test_the_form_finds_the_names_of_the_program_of_its_recipe(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    durable: Any = None  # nothing is started here
    form, asked = (
        ArgumentHandlers(Services(settings, database, durable), Words("en")),
        request_of(who),
    )
    by_swift = str(form.on_search("cpu-smoke", "grpo", "batch size", asked).found)
    by_megatron = str(form.on_search("3x8-megatron", "grpo", "batch size", asked).found)
    for name, is_of_megatron in (
        ("micro_batch_size", True),
        ("global_batch_size", True),
        ("per_device_train_batch_size", False),
    ):
        assert (f"'{name}'" in by_megatron) is is_of_megatron
        assert (f"'{name}'" in by_swift) is not is_of_megatron
    picked = gr.EventData(None, {"id": "micro_batch_size"})
    assert (
        form.on_pick("3x8-megatron", "grpo", "", picked, asked).lines == "grpo.micro_batch_size=1"
    )
    assert form.on_pick("cpu-smoke", "grpo", "", picked, asked).lines == gr.skip()
