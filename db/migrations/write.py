"""Write a migration from the difference between the tables and the newest migration.

Usage: `python -m db.migrations.write 0002_words_of_the_change`
"""

import sys
import tempfile
from pathlib import Path

from db.engine import Database, sqlite_url
from db.upgrade import upgrade, write_migration


def main(name: str) -> None:
    """Migrate an empty database up, then write what is missing under `versions/NAME.py`."""
    number, _, words = name.partition("_")
    with tempfile.TemporaryDirectory() as folder:
        database = Database(sqlite_url(Path(folder) / "empty.db"))
        upgrade(database)
        write_migration(database, words, number)
        database.close()


if __name__ == "__main__":
    main(sys.argv[1])
