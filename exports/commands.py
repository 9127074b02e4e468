"""Exporting's and training's part of the command line."""

from exports import bundle_commands, reward_commands
from exports.training import commands as training_commands
from labeling.command_line import Subparsers


def add_commands(commands: Subparsers) -> None:
    """Add the commands of exporting and training."""
    bundle_commands.add_commands(commands)
    reward_commands.add_commands(commands)
    training_commands.add_commands(commands)
