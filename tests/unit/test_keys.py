"""Which keys somebody may choose, and what is made of what was kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidInput, NotFound
from schemas.keys import DEFAULT_KEYS, DESKS, RESERVED, choose_key, effective_keys, to_key

ACTIONS = sorted({action for keys in DEFAULT_KEYS.values() for action in keys} | {"gone"})
KEYS = st.sampled_from(
    ["A", "q", "Q", "]", "F2", "Mod+J", "Alt+K", "Mod+W", "Enter", "", "Shift+A"]
)
KEPT = st.dictionaries(st.sampled_from(ACTIONS), KEYS | st.none() | st.integers(), max_size=6)


@pytest.mark.parametrize("desk", DESKS)
def test_no_two_actions_begin_with_one_key(desk):
    keys = list(DEFAULT_KEYS[desk].values())
    assert len(keys) == len(set(keys))
    assert all(to_key(key) == key for key in keys)


@pytest.mark.parametrize("desk", DESKS)
@given(kept=KEPT)
def test_whatever_was_kept_no_key_does_two_things(desk, kept):
    keys = [key for key in effective_keys(desk, kept).values() if key]
    assert len(keys) == len(set(keys))
    assert effective_keys(desk, kept).keys() == DEFAULT_KEYS[desk].keys()
    own = set(keys) - set(DEFAULT_KEYS[desk].values())
    assert not own & RESERVED


@given(kept=KEPT, action=st.sampled_from(sorted(DEFAULT_KEYS["label"])), key=KEYS)
def test_a_chosen_key_is_the_key_or_is_refused(kept, action, key):
    try:
        own = choose_key("label", kept, action, key)
    except InvalidInput:
        return
    after = effective_keys("label", own)
    assert after[action] == to_key(key)
    before = effective_keys("label", kept)
    assert {each: after[each] for each in after if each != action and before[each]} == {
        each: before[each] for each in after if each != action and before[each]
    }


@pytest.mark.parametrize("key", ["Mod+W", "mod+w", "Alt+P", "F5", "Mod+Z", "Tab", "Escape", " "])
def test_keys_of_the_browser_and_of_fields_are_refused(key):
    with pytest.raises(InvalidInput) as refused:
        choose_key("label", {}, "adopt", key)
    assert refused.value.code in ("keys.reserved", "keys.not_a_key")


def test_the_first_key_of_an_action_can_be_chosen_again():
    own = choose_key("label", {}, "undo", "U")
    assert effective_keys("label", own)["undo"] == "U"
    assert choose_key("label", own, "undo", "Mod+Z") == {}


def test_a_key_in_use_is_refused_with_the_action_that_has_it():
    with pytest.raises(InvalidInput) as refused:
        choose_key("label", {}, "adopt", "s")
    assert refused.value.values == {"key": "S", "action": "skip"}


def test_an_unknown_action_has_no_key():
    with pytest.raises(NotFound):
        choose_key("review", {}, "adopt", "Q")
