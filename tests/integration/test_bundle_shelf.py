"""Bundles on the shelf, side by side."""

from db.engine import Database
from db.tables import Bundle, BundleRow
from exports import shelf
from schemas.people import Actor
from tests.factories import a_query


def a_bundle(database: Database, who: Actor, query_id: str, hashes: str, seed: int) -> str:
    """A bundle whose `sft.jsonl` has one row a letter."""
    with database.transaction() as session:
        bundle = Bundle(
            project_id=who.project_id, name="mixed", folder="b", recipe={"seed": seed, "name": "x"}
        )
        session.add(bundle)
        session.flush()
        for line, row_hash in enumerate(hashes, start=1):
            session.add(
                BundleRow(
                    bundle_id=bundle.id,
                    file="sft.jsonl",
                    line=line,
                    project_id=who.project_id,
                    query_id=query_id,
                    source_id=query_id,
                    row_hash=row_hash,
                )
            )
        return bundle.id


def test_two_bundles_differ_by_their_rows_and_by_what_their_recipes_say(
    database: Database, admin: Actor
) -> None:
    query_id = a_query(database, admin)
    a = a_bundle(database, admin, query_id, "vwx", 1)
    b = a_bundle(database, admin, query_id, "wxyz", 2)
    found = shelf.diff(database, admin, a, b)
    (sft,) = found.files
    assert (sft.file, sft.only_a, sft.only_b, sft.both) == ("sft.jsonl", 1, 2, 2)
    assert found.recipe == {"seed": (1, 2)}
