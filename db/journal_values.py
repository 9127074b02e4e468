"""How the journal of workflows writes values down: JSON, never pickle.

A journal that anyone with write access to the file can put a pickle in is a journal that runs code.
Errors of the Planwright family come back as themselves after a restart; any other comes back as a
`RuntimeError` that names it.
"""

from typing import cast

import orjson

from schemas import errors

_ERROR = "$error"
_FAMILY: dict[str, type[errors.PlanwrightError]] = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.PlanwrightError)
}


class JournalValues:
    """JSON in, JSON out; the methods are those that DBOS asks of a serializer."""

    def serialize(self, data: object) -> str:
        """JSON text of a value or an error.

        Raises:
            TypeError: the value is no JSON.
        """
        if isinstance(data, BaseException):
            data = {_ERROR: _describe(data)}
        return orjson.dumps(data).decode()

    def deserialize(self, serialized_data: str) -> object:
        """The value or error of a text."""
        value: object = orjson.loads(serialized_data)
        if isinstance(value, dict) and _ERROR in value:
            return _restore(cast(dict[str, dict[str, object]], value)[_ERROR])
        return value

    def name(self) -> str:
        """How DBOS marks the rows."""
        return "planwright_json"


def _describe(error: BaseException) -> dict[str, object]:
    if isinstance(error, errors.PlanwrightError):
        values = {name: str(value) for name, value in error.values.items()}
        return {"kind": type(error).__name__, "code": error.code, "values": values}
    return {"kind": type(error).__name__, "message": str(error)}


def _restore(described: dict[str, object]) -> Exception:
    kind = str(described["kind"])
    if kind in _FAMILY:
        values = cast(dict[str, object], described["values"])
        return _FAMILY[kind](str(described["code"]), **values)
    return RuntimeError(f"{kind}: {described['message']}")
