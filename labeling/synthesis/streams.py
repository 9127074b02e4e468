"""Replies that come piece by piece: server-sent events, kept as one body that is read like others.

A thinking model sends thousands of events for a reply, each with the same words around a token. So
what is stored is the completion that they make up, with every field of their deltas joined; how
many there were, how many signs of life, and whether the end was missing stands beside it.
"""

from typing import Any, cast

import orjson

CUT = "cut"
"""The finish reason of a stream whose end never came; no endpoint uses it."""
_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


def is_stream(body: bytes) -> bool:
    """Whether a body is events and not one completion."""
    return body.lstrip()[:5].startswith((b"data:", b"event", b":"))


def condense(raw: bytes) -> bytes | None:
    """The completion that events make up; None where there is nothing of a model in them.

    A stream without its end (neither a finish reason nor `[DONE]`) has the finish reason `cut`.
    """
    stream = _Stream()
    for line in raw.split(b"\n"):
        stream.hear(line.strip())
    return stream.completion()


class _Stream:
    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {}
        self._finish: str | None = None
        self._usage: object = None
        self._error: object = None
        self._is_done = False
        self._events = 0
        self._keep_alives = 0

    def hear(self, line: bytes) -> None:
        """One line; what cannot be read is passed over, as browsers do."""
        if line.startswith(b":"):
            self._keep_alives += 1
            return
        if not line.startswith(b"data:"):
            return
        told = line[5:].strip()
        if told == b"[DONE]":
            self._is_done = True
            return
        try:
            event = orjson.loads(told)
        except ValueError:
            return
        if isinstance(event, dict):
            self._events += 1
            self._take(cast(dict[str, Any], event))

    def _take(self, event: dict[str, Any]) -> None:
        if not self._head:
            self._head = {name: event[name] for name in ("id", "created", "model") if name in event}
        self._usage = event.get("usage") or self._usage
        self._error = event.get("error") or self._error
        choices = event.get("choices")
        if not isinstance(choices, list) or not choices:
            return
        choice = cast(list[Any], choices)[0]
        if not isinstance(choice, dict):
            return
        first = cast(dict[str, Any], choice)
        self._finish = first.get("finish_reason") or self._finish
        delta = first.get("delta") or first.get("message")
        if isinstance(delta, dict):
            for name in _TEXTS:
                text = cast(dict[str, Any], delta).get(name)
                if isinstance(text, str) and text:
                    self._texts.setdefault(name, []).append(text)

    def completion(self) -> bytes | None:
        if not self._texts and self._finish is None:
            return None
        texts = {name: "".join(parts) for name, parts in self._texts.items()}
        is_cut = self._finish is None and not self._is_done
        stream: dict[str, object] = {
            "events": self._events,
            "keep_alives": self._keep_alives,
            "is_cut": is_cut,
        }
        if self._error is not None:
            stream["error"] = self._error
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": "", **texts},
            "finish_reason": CUT if is_cut else self._finish,
        }
        completion = {**self._head, "object": "chat.completion", "choices": [choice]}
        return orjson.dumps({**completion, "usage": self._usage, "stream": stream})
