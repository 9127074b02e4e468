"""Exporting's and training's part of the command line."""

from labeling.command_line import Subparsers


def add_commands(commands: Subparsers) -> None:
    """Add the commands of exporting and training."""
