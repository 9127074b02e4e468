"""Keys of the two desks: what they are by default, and what somebody may choose instead.

A key is written `A`, `]`, `F2`, `Mod+Enter` or `Alt+Shift+K`. Mod is ⌘ on a Mac and Ctrl elsewhere;
Shift is named only beside another modifier, because it is part of signs such as `?`. Keys without
Mod or Alt do nothing while a person types in a field.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

from schemas.errors import InvalidInput, NotFound

DeskName = Literal["label", "review"]
DESKS: tuple[DeskName, ...] = get_args(DeskName)

_SHARED: Final = {
    "comments": "C",
    "comment": "Alt+C",
    "history": "H",
    "find": "Mod+K",
    "search": "/",
    "fold": "Z",
    "experts": "E",
    "guideline": "G",
    "keys": "?",
    "undo": "Mod+Z",
    "redo": "Mod+Shift+Z",
}
DEFAULT_KEYS: Final[Mapping[DeskName, Mapping[str, str]]] = {
    "label": {
        "submit": "Mod+Enter",
        "adopt": "A",
        "next": "]",
        "candidates": "V",
        "later": "L",
        "skip": "S",
        "release": "B",
        "flag": "F",
        "withdraw": "W",
        "mine": "M",
        "add_step": "N",
        "focus": "I",
        **_SHARED,
    },
    "review": {
        "accept": "A",
        "accept_too": "Mod+Enter",
        "fix": "X",
        "return": "R",
        "discard": "D",
        "next": "]",
        "skip": "S",
        "waiting": "L",
        "batch": "B",
        "lots": "O",
        **_SHARED,
    },
}
"""Every action of a desk that has a key, in the order in which people are shown them."""

_EDITING: Final = (
    *("Enter", "Backspace", "Delete", "Insert", "Home", "End", "PageUp", "PageDown"),
    *("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"),
)
_FUNCTION: Final = tuple(f"F{number}" for number in range(1, 13))
_FORM = re.compile(rf"((?:Mod\+)?(?:Alt\+)?(?:Shift\+)?)({'|'.join(_EDITING + _FUNCTION)}|[!-~])")

# Browsers keep some of these for themselves, people expect the others of every page or field, and
# the last two rows are heard by the form of a plan.
RESERVED: Final[frozenset[str]] = frozenset(
    (
        *(f"Mod+{each}" for each in "TNWQRLPSFGHJDOUACVXYZ0123456789+-="),
        *(f"Mod+Shift+{each}" for each in "TNWQRIJCKBMPV+"),
        *(f"Mod+{each}" for each in ("F4", "F5", *(e for e in _EDITING if e != "Enter"))),
        *(f"Alt+{each}" for each in "DEF0123456789"),
        *(f"Alt+{each}" for each in ("F4", "ArrowLeft", "ArrowRight", "Home", "End")),
        *("F1", "F3", "F5", "F6", "F7", "F8", "F10", "F11", "F12"),
        *(
            f"Alt+{each}"
            for each in ("P", "R", "Enter", "ArrowUp", "ArrowDown", "Backspace", "Delete")
        ),
        *(f"Alt+Shift+{each}" for each in ("ArrowUp", "ArrowDown")),
    )
)


def effective_keys(desk: DeskName, own: Mapping[str, object]) -> dict[str, str]:
    """The key of every action of a desk, with somebody's own choices.

    What was kept by an older version or by other hands is not trusted: unknown actions and keys
    that nobody may choose are passed over. An action whose default somebody has given to another
    has no key (`""`).
    """
    chosen: dict[str, str] = {}
    for action, key in own.items():
        known = to_key(key) if isinstance(key, str) else None
        is_free = known not in RESERVED and known not in chosen.values()
        if known is not None and is_free and action in DEFAULT_KEYS[desk]:
            chosen[action] = known
    taken = set(chosen.values())
    return {
        action: chosen.get(action) or ("" if default in taken else default)
        for action, default in DEFAULT_KEYS[desk].items()
    }


def choose_key(desk: DeskName, own: Mapping[str, object], action: str, key: str) -> dict[str, str]:
    """Somebody's own choices after one more; a default chosen again is no choice of their own.

    Raises:
        NotFound: `keys.no_such_action`.
        InvalidInput: `keys.not_a_key`, `keys.reserved`, `keys.taken` (which action has it).
    """
    default = DEFAULT_KEYS[desk].get(action)
    if default is None:
        raise NotFound("keys.no_such_action", action=action)
    wanted = to_key(key)
    if wanted is None:
        raise InvalidInput("keys.not_a_key")
    if wanted in RESERVED and wanted != default:
        raise InvalidInput("keys.reserved", key=wanted)
    now = effective_keys(desk, own)
    for other, taken in now.items():
        if other != action and taken == wanted:
            raise InvalidInput("keys.taken", key=wanted, action=other)
    changed = now | {action: wanted}
    return {each: key for each, key in changed.items() if key not in ("", DEFAULT_KEYS[desk][each])}


def to_key(text: str) -> str | None:
    """A key in the form that is kept, such as `Mod+K` for `Mod+k`; None where it is not one.

    Keys that move the caret or the page are none by themselves.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    modifiers, sign = found.groups()
    if modifiers == "Shift+" or (not modifiers and sign in _EDITING):
        return None
    return modifiers + (sign.upper() if len(sign) == 1 else sign)
