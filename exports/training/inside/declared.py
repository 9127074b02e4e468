"""Megatron's argument classes, from the source of the installed ms-swift, without Megatron itself.

Their modules import megatron-core and Transformer Engine, which want a GPU. What they say of
arguments needs neither: so their statements are run one by one, imports that fail are passed over,
and the classes are asked as Ray's driver asks them (`skip_megatron_init`), which leaves out only
what takes place among the processes of a run.
"""

import ast
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

_FILES = ("megatron_args", "megatron_base_args", "sft_args", "rlhf_args")
"""In the order in which each builds on those before (ms-swift 4.6.0)."""
_LACKING = (ImportError, NameError, AttributeError)
_NAME = "declared_megatron_arguments"


@cache
def megatron_classes() -> Any:
    """A module with `MegatronSftArguments` and `MegatronRLHFArguments`."""
    module = ModuleType(_NAME)
    sys.modules[_NAME] = module  # whoever reads the types of a class looks for its module
    found = find_spec("swift")
    assert found is not None and found.origin is not None
    folder = Path(found.origin).parent / "megatron" / "arguments"
    for name in _FILES:
        path = folder / f"{name}.py"
        for statement in ast.parse(path.read_text("utf-8")).body:
            _run(statement, path, module)
    return module


def _run(statement: ast.stmt, path: Path, module: ModuleType) -> None:
    if isinstance(statement, ast.ImportFrom) and statement.level:
        return  # of one of these files, whose names stand here already
    code = compile(ast.Module([statement], []), str(path), "exec")
    try:
        exec(code, vars(module))  # noqa: S102  ms-swift's own source, as importing it would
    except _LACKING:
        if isinstance(statement, ast.ClassDef):
            raise
