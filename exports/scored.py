"""What the rewards say of rows of facts: their texts are read and scored, as far as is asked."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from db.engine import Session
from exports.candidates import Judge
from exports.columns import Places
from exports.fact_table import FactTable
from exports.facts import offers_of
from exports.lines import in_chunks

_CHUNK = 500


class ScoredRows:
    """Scores suggestions by a judge who does; of at most so many queries, then all are equal."""

    def __init__(
        self,
        session: Session,
        project_id: str,
        table: FactTable,
        judge: Judge,
        most: int | None,
    ) -> None:
        self._session, self._project_id = session, project_id
        self._table, self._judge = table, judge
        self._most = most
        self._known: dict[str, list[float]] = {}
        self._unknown: set[str] = set()

    @property
    def unscored(self) -> int:
        """Of how many queries it is not known which suggestion is the best."""
        return len(self._unknown)

    def scores(self, rows: Places) -> NDArray[np.float64]:
        """The scores of some rows, all of queries that have several."""
        table = self._table
        codes: list[int] = np.unique(table.query[rows]).tolist()
        self._learn([table.query_ids[code] for code in codes])
        is_said = table.by_profile(lambda profile: profile.kind == "suggestions")
        said = np.flatnonzero(is_said & np.isin(table.query, codes))
        places: list[int] = said.tolist()
        queries: list[int] = table.query[said].tolist()
        by_place: dict[int, float] = {}
        last, number = -1, 0
        for place, code in zip(places, queries, strict=True):
            number = number + 1 if code == last else 0
            last = code
            scores = self._known.get(table.query_ids[code], [])
            if number < len(scores):  # else it has changed since its facts were made
                by_place[place] = scores[number]
        return np.array([by_place.get(place, 0.0) for place in rows.tolist()], np.float64)

    def _learn(self, query_ids: Iterable[str]) -> None:
        """Read and score what is said to these queries, as far as there is room."""
        new = sorted(set(query_ids) - self._known.keys())
        room = len(new) if self._most is None else max(0, self._most - len(self._known))
        self._unknown.update(new[room:])
        for chunk in in_chunks(new[:room], _CHUNK):
            offers = offers_of(self._session, self._project_id, self._judge, chunk)
            for offered in offers:
                said = offered.by_kind.get("suggestions", ())
                self._known[offered.query.id] = [each.score for each in said]
