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
    devices: int | None = None
    """How many GPUs of this machine runs may have; all that `nvidia-smi` lists when absent."""
    cpu_runs: int = 1
    """How many runs that need no GPU this machine does at once."""
    node_address: str | None = None
    """Where other nodes reach this one; the address that it reaches the database from if absent."""
    tokenizer: Path | None = None
    """Folder of the tokenizer whose tokens evaluations measure thinking in; characters without."""
    serving_host: str = "127.0.0.1"
    """Where endpoints of planners listen; only this machine by default."""
    evalscope_python: Path | None = None
    """Interpreter of an environment that has EvalScope, which cannot live in the app's own."""
    max_upload_mb: int = 200
    demo: bool = True
    """Whether the first start loads the demo project."""
    public_url: str | None = None
    """How people reach the app, for the set-up link; host and port of `serve` when absent."""
    export_alone_until: int = 20_000
    """An export reads more queries than this with a second process."""
    language: Language = "zh"
    """Language of pages before anyone has chosen."""
