"""Exporting's, training's and evaluation's part of the command line."""

from exports import bundle_commands, evaluation_commands, planner_commands, reward_commands
from exports.training import commands as training_commands
from labeling.command_line import Subparsers


def add_commands(commands: Subparsers) -> None:
    """Add the commands of exporting, training, evaluation and serving."""
    bundle_commands.add_commands(commands)
    reward_commands.add_commands(commands)
    training_commands.add_commands(commands)
    evaluation_commands.add_commands(commands)
    planner_commands.add_commands(commands)
