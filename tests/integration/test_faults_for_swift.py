"""What only ms-swift can tell is found by asking it, named by row, and not found unasked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exports.training import verify
from exports.training.ask import tiny_model
from exports.training.verify import TRAINER_CHECKS, verify_bundle
from schemas.sentences import LANGUAGES, sentence
from schemas.training import VerifyReport
from tests.faults_for_swift import FAULTS
from tests.good_bundle import GoodBundle, Made, a_copy

Named = set[tuple[str, str, int]]


@pytest.fixture(scope="module")
def good(
    tmp_path_factory: pytest.TempPathFactory, good_home: tuple[Made, Path]
) -> Iterator[GoodBundle]:
    with a_copy(*good_home, tmp_path_factory.mktemp("good") / "copy") as copy:
        yield copy


@pytest.fixture(scope="module")
def planted(good: GoodBundle) -> tuple[Path, Named]:
    """All of them in one bundle, each in its own row, and the model that it was made with."""
    model = tiny_model(good.settings, good.with_thinking)
    named: Named = set()
    for fault in FAULTS:
        places = fault.plant(good, good.with_thinking)
        named |= {(f"training.{fault.check}", file, line) for file, line in places}
    assert len(named) == len(FAULTS)
    return model, named


def read_back(good: GoodBundle, model: Path) -> tuple[VerifyReport, Named]:
    report = verify_bundle(
        good.with_thinking, good.settings, model=model, model_type="qwen3", ground=good.ground
    )
    return report, {(each.code, each.file, each.line) for each in report.differences}


def test_each_is_found_by_its_row_and_nothing_else(
    good: GoodBundle, planted: tuple[Path, Named]
) -> None:
    report, found = read_back(good, planted[0])
    assert found == planted[1]
    assert report.count == len(FAULTS)
    assert not report.is_true
    for each in report.differences:
        assert all(sentence(each.code, each.values, language) for language in LANGUAGES)


@pytest.mark.parametrize("check", TRAINER_CHECKS)
def test_without_its_check_it_goes_unnoticed(
    good: GoodBundle, planted: tuple[Path, Named], check: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tuple(each for each in TRAINER_CHECKS if each != check)
    monkeypatch.setattr(verify, "TRAINER_CHECKS", kept)
    _, found = read_back(good, planted[0])
    assert found == {each for each in planted[1] if each[0] != f"training.{check}"}


def test_no_check_is_without_a_fault() -> None:
    assert set(TRAINER_CHECKS) == {fault.check for fault in FAULTS}
