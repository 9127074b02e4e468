"""Which expert list a row is read under and pinned to."""

from db.access import lists, projects
from db.engine import Database
from labeling.experts import find_reference
from labeling.intake.reading import PinnedList, ReadRow, RowRefused
from schemas.errors import NotFound
from schemas.people import Actor


class ListFinder:
    """The list of a reference, asked once: in one import, an unversioned name is one version."""

    def __init__(self, database: Database, who: Actor, default: str | None) -> None:
        """Prepare.

        Args:
            database: Where lists are.
            who: Whose project.
            default: `NAME[@N]` for rows that name none.

        Raises:
            NotFound: `experts.list_not_found` for the default.
        """
        self._database, self._who = database, who
        self._default = default
        self._found: dict[str | None, PinnedList | RowRefused] = {}
        self._names: dict[str, str] = {}
        if default is not None and isinstance(self._find(default), RowRefused):
            raise NotFound("experts.list_not_found", reference=default)

    def __call__(self, reference: str | None) -> PinnedList:
        """The list of a reference, or of none: the default, else the project's current list.

        Raises:
            RowRefused: there is no such list.
        """
        found = self._found.get(reference)
        if found is None:
            found = self._found[reference] = self._find(reference or self._default)
        if isinstance(found, RowRefused):
            raise found
        return found

    def is_same(self, row: ReadRow, content_hash: str, version_id: str) -> bool:
        """Whether a row says what is stored under its key.

        A row that names a list without a version is the same under any version of it, and one that
        names none under any list: the stored pin is not moved by a list published since.
        """
        if row.content_hash != content_hash:
            return False
        pinned = row.pinned
        if pinned.version_id == version_id or pinned.said == "nothing":
            return True
        return pinned.said == "name" and self._name_of(version_id) == pinned.list.name

    def _find(self, reference: str | None) -> PinnedList | RowRefused:
        project_id = self._who.project_id
        with self._database.reading() as session:
            if reference is None:
                version_id = projects.read_settings(session, project_id).current_list_version_id
                current = version_id and lists.find_list(session, project_id, version_id)
                if not version_id or not current:
                    return RowRefused("intake.no_list")
                return PinnedList(version_id, current, "nothing")
            found = find_reference(session, project_id, reference)
        if found is None:
            return RowRefused("experts.list_not_found", reference=reference)
        return PinnedList(*found, "version" if "@" in reference else "name")

    def _name_of(self, version_id: str) -> str:
        if version_id not in self._names:
            with self._database.reading() as session:
                found = lists.find_list(session, self._who.project_id, version_id)
            self._names[version_id] = found.name if found else ""
        return self._names[version_id]
