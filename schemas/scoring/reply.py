"""From what a server returns to the completion that a reward is given.

A reasoning model's thinking comes back in a field of its own, or inside the text, or inside the
text without its opening tag, since the template had already written that into the prompt.
"""

from typing import NamedTuple

# Templates of ms-swift 4.6.0 that begin the answer themselves; the others leave it to the model.
THINK_PREFIX = {
    "qwen3_thinking": "<think>\n",
    "qwq": "<think>\n",
    "deepseek_r1": "<think>\n",
    "qwen3": "",
}


class Reply(NamedTuple):
    """The two texts of a chat reply; `reasoning` from `reasoning_content` or `reasoning`."""

    content: str
    reasoning: str | None = None


def to_completion(reply: Reply, template: str | None = None) -> str:
    r"""The whole text as the model wrote it, as rewards and evaluation judge it.

    `template` is ms-swift's name of the chat template; without it a prefix is restored only where
    the text shows that one is missing.

    >>> to_completion(Reply("<answer>\n{}\n</answer>", reasoning="查周报"))
    '<think>\n查周报\n</think>\n\n<answer>\n{}\n</answer>'
    >>> to_completion(Reply("查周报\n</think>\n\n<answer>\n{}\n</answer>"), "qwq")
    '<think>\n查周报\n</think>\n\n<answer>\n{}\n</answer>'
    """
    content = reply.content
    if reply.reasoning and reply.reasoning.strip() and "</think>" not in content:
        return _joined(reply.reasoning, content)
    if "<think>" in content:
        return content
    prefix = THINK_PREFIX.get(template or "", "")
    if "</think>" in content:
        prefix = prefix or "<think>\n"
    # A server that strips a reply may have taken the line break after the tag along.
    return prefix + content.lstrip("\n") if prefix else content


def _joined(reasoning: str, content: str) -> str:
    """Servers cut at the tags and may strip; what they left of the line breaks is kept."""
    opening = "" if reasoning.startswith("\n") else "\n"
    closing = "" if reasoning.endswith("\n") else "\n"
    gap = "" if content.startswith("\n") else "\n\n"
    return f"<think>{opening}{reasoning}{closing}</think>{gap}{content}"
