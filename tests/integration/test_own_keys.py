"""Keys that somebody chose follow them everywhere, and only them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from db.tables import Person
from labeling import own_keys
from schemas.errors import InvalidInput, NotFound
from schemas.keys import DEFAULT_KEYS


def test_a_chosen_key_is_kept_for_this_person_and_page(database, li, wang):
    changed = own_keys.set_key(database, li, "label", "adopt", "q")
    assert changed == DEFAULT_KEYS["label"] | {"adopt": "Q"}
    assert own_keys.list_keys(database, li, "label") == changed
    assert own_keys.list_keys(database, li, "review") == DEFAULT_KEYS["review"]
    assert own_keys.list_keys(database, wang, "label") == DEFAULT_KEYS["label"]


def test_one_key_and_all_keys_go_back_to_the_first(database, li):
    for action, key in (("adopt", "Q"), ("skip", "K"), ("undo", "U")):
        own_keys.set_key(database, li, "label", action, key)
    own_keys.set_key(database, li, "review", "accept", "Q")
    assert own_keys.reset_key(database, li, "label", "undo")["undo"] == "Mod+Z"
    assert own_keys.reset_keys(database, li, "label") == DEFAULT_KEYS["label"]
    assert own_keys.list_keys(database, li, "review")["accept"] == "Q"


def test_a_refused_key_changes_nothing(database, li):
    own_keys.set_key(database, li, "label", "adopt", "Q")
    for action, key in (("skip", "Q"), ("skip", "Mod+W"), ("skip", "<b>"), ("undo", "")):
        with pytest.raises(InvalidInput):
            own_keys.set_key(database, li, "label", action, key)
    with pytest.raises(NotFound):
        own_keys.set_key(database, li, "label", "__proto__", "K")
    with pytest.raises(NotFound):
        own_keys.set_key(database, li, "team", "adopt", "K")
    assert own_keys.list_keys(database, li, "label") == DEFAULT_KEYS["label"] | {"adopt": "Q"}


def test_two_tabs_that_choose_at_once_both_count(database, li):
    wanted = {"adopt": "Q", "skip": "K", "later": "J", "flag": "U", "mine": "Y", "fold": "X"}
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda pair: own_keys.set_key(database, li, "label", *pair), wanted.items()))
    assert own_keys.list_keys(database, li, "label") == DEFAULT_KEYS["label"] | wanted


def test_other_preferences_stay_and_foreign_ones_are_not_trusted(database, li):
    with database.transaction() as session:
        person = session.get_one(Person, li.person_id)
        person.preferences = {"other": 1, "keys": {"label": {"adopt": "Mod+W", "skip": ["x"]}}}
    assert own_keys.list_keys(database, li, "label") == DEFAULT_KEYS["label"]
    own_keys.set_key(database, li, "label", "adopt", "Q")
    with database.reading() as session:
        kept = session.get_one(Person, li.person_id).preferences
    assert kept == {"other": 1, "keys": {"label": {"adopt": "Q"}}}
