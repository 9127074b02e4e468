"""What the rewards say of rows of facts: their texts are read and scored, as far as is asked."""

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
    """Scores suggestions by a judge who does; of at most so many queries, then all are equal.

    `unscored` counts the queries of which nobody knows, so far, which suggestion is the best.
    """

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
        self.unscored = 0

    def scores(self, rows: Places) -> NDArray[np.float64]:
        """The scores of some rows, all of queries that have several."""
        table = self._table
        codes: list[int] = np.unique(table.query[rows]).tolist()
        if self._most is not None and len(codes) > self._most:
            self.unscored += len(codes) - self._most
            codes = codes[: self._most]
        found = self._read([table.query_ids[code] for code in codes])
        is_said = table.by_profile(lambda profile: profile.kind == "suggestions")
        said = np.flatnonzero(is_said & np.isin(table.query, codes))
        places: list[int] = said.tolist()
        queries: list[int] = table.query[said].tolist()
        by_place: dict[int, float] = {}
        last, number = -1, 0
        for place, code in zip(places, queries, strict=True):
            number = number + 1 if code == last else 0
            last = code
            scores = found.get(table.query_ids[code], [])
            if number < len(scores):  # else it has changed since its facts were made
                by_place[place] = scores[number]
        return np.array([by_place.get(place, 0.0) for place in rows.tolist()], np.float64)

    def _read(self, query_ids: list[str]) -> dict[str, list[float]]:
        """What is said of the suggestions to each query, in the order in which it offers them."""
        return {
            offered.query.id: [each.score for each in offered.by_kind.get("suggestions", ())]
            for chunk in in_chunks(sorted(query_ids), _CHUNK)
            for offered in offers_of(self._session, self._project_id, self._judge, chunk)
        }
