"""What the training page has been told, so that a tick sends only what is new."""

import json
from hashlib import sha256

from exports.training.live import Seen


def digest(value: object) -> str:
    """What tells whether a part of the page is another by now."""
    return sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()[:12]


def remember(seen: Seen, digests: dict[str, str]) -> str:
    """What a page keeps of what it was told; it comes back with the next tick."""
    return json.dumps({"seen": seen.model_dump(), "parts": digests}, sort_keys=True)


def recall(text: str) -> tuple[Seen, dict[str, str]]:
    """What the page has been told; nothing where that cannot be read."""
    try:
        said = json.loads(text) if text else {}
        return Seen.model_validate(said.get("seen", {})), dict(said.get("parts", {}))
    except ValueError:
        return Seen(), {}
