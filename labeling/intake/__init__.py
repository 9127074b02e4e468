"""Import queries, suggestions, history and benchmarks from files."""

from labeling.intake.run import import_file
from labeling.intake.source import preview

__all__ = ["import_file", "preview"]
