"""Every planted fault is found by its check, by none in a good bundle, and by none without it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from db.tables import Bundle
from exports.bundle import get_bundle, verify_rows
from exports.checks import examine as examining
from exports.checks.examine import CHECKS, FILE_CHECKS, NEAR_CHECKS, Findings, examine
from labeling.ui.dataset_views import bundle_view
from labeling.ui.i18n import Words
from schemas.errors import ExportRefused
from schemas.sentences import LANGUAGES, sentence
from tests.good_bundle import GoodBundle, Made, a_copy, read_manifest
from tests.planted_faults import FAULTS
from tests.planting import Fault

each_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


@pytest.fixture
def good(good_home: tuple[Made, Path], tmp_path: Path) -> Iterator[GoodBundle]:
    with a_copy(*good_home, tmp_path / "home") as copy:
        yield copy


def found_in(good: GoodBundle, folder: Path) -> Findings:
    return examine(folder, read_manifest(folder), good.ground)


def test_a_good_bundle_has_no_fault(good: GoodBundle) -> None:
    assert found_in(good, good.with_thinking).differences == []
    assert found_in(good, good.plain).differences == []
    elsewhere = examine(good.with_thinking, read_manifest(good.with_thinking))
    assert elsewhere.differences == []


@each_fault
def test_it_is_found_by_its_check_where_it_is(good: GoodBundle, fault: Fault) -> None:
    folder = fault.folder(good)
    places = fault.plant(good, folder)
    found = found_in(good, folder)
    assert {(each.code, each.file, each.line) for each in found.differences} == {
        (f"training.{fault.check}", file, line) for file, line in places
    }
    assert sum(found.by_file.values()) == len(places)
    for each in found.differences:
        assert all(sentence(each.code, each.values, language) for language in LANGUAGES)


@each_fault
def test_without_its_check_it_goes_unnoticed(
    good: GoodBundle, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    for registry in ("CHECKS", "FILE_CHECKS", "NEAR_CHECKS"):
        kept = tuple(each for each in getattr(examining, registry) if each.name != fault.check)
        monkeypatch.setattr(examining, registry, kept)
    folder = fault.folder(good)
    fault.plant(good, folder)
    assert found_in(good, folder).differences == []


def plant(good: GoodBundle, name: str) -> None:
    fault = next(each for each in FAULTS if each.name == name)
    fault.plant(good, fault.folder(good))


def test_an_export_with_a_fault_is_refused_and_says_where(good: GoodBundle) -> None:
    plant(good, "stale thinking in sft")
    bundle_id = good.with_thinking.name
    with good.database.transaction() as session:
        session.get_one(Bundle, bundle_id).state = "verifying"
    with pytest.raises(ExportRefused, match=r"finds 1 faults, the first in line \d+ of sft.jsonl"):
        verify_rows(good.database, good.settings, good.who, bundle_id)
    bundle = get_bundle(good.database, good.who, bundle_id)
    assert bundle.state == "refused"
    assert bundle.verification is not None
    told: Any = bundle.verification["differences"]
    assert [each["code"] for each in told] == ["training.row_thinking_stale"]
    for language in LANGUAGES:
        shown = str(bundle_view(bundle, Words(language)))
        assert sentence(told[0]["code"], told[0]["values"], language) in shown


def test_no_check_is_without_a_fault() -> None:
    names = [each.name for each in (*CHECKS, *FILE_CHECKS, *NEAR_CHECKS)]
    assert len(names) == len(set(names))
    assert set(names) == {fault.check for fault in FAULTS}
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 25
