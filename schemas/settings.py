"""Settings of one installation, read once in `app.py` and passed down."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.sentences import Language


class Settings(BaseSettings):
    """Environment variables `PLANWRIGHT_*`; everything has a default that works."""

    model_config = SettingsConfigDict(env_prefix="PLANWRIGHT_", frozen=True)

    home: Path = Path("var")
    """Where the database, journals, uploads, bundles and runs live."""
    database_url: SecretStr | None = None
    """PostgreSQL or SQLite URL; SQLite in `home` when absent."""
    journal_url: SecretStr | None = None
    """Where workflows are journalled; beside the database when absent."""
    trainer_python: Path | None = None
    """Interpreter that has ms-swift; the application's own when absent."""
    tokenizer: Path | None = None
    """Folder of the tokenizer whose tokens evaluations measure thinking in; characters without."""
    max_upload_mb: int = 200
    demo: bool = True
    """Whether the first start loads the demo project."""
    public_url: str | None = None
    """How people reach the app, for the set-up link; host and port of `serve` when absent."""
    export_alone_until: int = 20_000
    """An export reads more queries than this with a second process."""
    language: Language = "zh"
    """Language of pages before anyone has chosen."""
