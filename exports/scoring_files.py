"""The reward files of a bundle: the plugin that ms-swift loads, and the scoring beside it."""

from pathlib import Path

from schemas.scoring import source

FOLDER = "planwright_scoring"


def scoring_files() -> dict[str, bytes]:
    """Path within the bundle → content, the same bytes that this application scores with."""
    plugin = Path(__file__).with_name("reward_plugin.py").read_bytes()
    modules = source.scoring_files()
    return {"reward_plugin.py": plugin} | {
        f"{FOLDER}/{name}": content for name, content in modules.items()
    }
