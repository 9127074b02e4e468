"""A tiny random Qwen3 with its own tokenizer, built in seconds, so that a chain runs on a laptop.

Run in the trainer's interpreter: `python tiny_model.py FOLDER [DATASET.jsonl …]`; the same folder
comes out each time. The tokenizer learns the phrases of the dataset, so that long prompts cost a
CPU little; what it has not seen it spells out. This script stands alone: it also travels in bundles
made for the recipe `cpu-smoke`.
"""

import json
import os
import shutil
import sys
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TAGS = ("think", "tool_call", "tool_response")
LAYOUT = (
    "<think>\n",
    "\n</think>\n\n<answer>\n",
    "\n</answer>",
    '{"补全后的问题": "',
    '", "plan": [{"专家": "',
    '", "plan": []}',
    '", "处理问题": ["',
    '"], "顺序": 1}, {"专家": "',
    '"], "顺序": 2}, {"专家": "',
    '"], "顺序": 1}]}',
    '"], "顺序": 2}]}',
    '"]}, {"专家": "',
    '"]}]}',
    '{"rewritten_query": "',
    '", "steps": [{"expert": "',
    '", "steps": []}',
    '", "sub_questions": ["',
    '"], "order": 1}, {"expert": "',
    '"], "order": 2}, {"expert": "',
    '"], "order": 1}]}',
    '"], "order": 2}]}',
    '"], "order": 3}]}',
    '", "',
)
"""What stands around the words of an answer: one token each, so that the form is soon learned."""
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
POSITIONS = 16384
ROWS = 400


def build(folder: Path, datasets: list[Path]) -> None:
    """Write model and tokenizer; the folder appears whole or not at all."""
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    try:
        tokenizer = _tokenizer([text for path in datasets for text in _texts(path)])
        tokenizer.save_pretrained(unfinished)
        _model(tokenizer).save_pretrained(unfinished)
        if not folder.exists():
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _common_characters() -> list[str]:
    """The 3,755 characters of GB 2312 level 1, so that a Chinese character is one token."""
    rows = [bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)]
    return [text for pair in rows if (text := pair.decode("gb2312", errors="ignore"))]


def _texts(path: Path) -> list[str]:
    """What is said in the first rows of a dataset."""
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in islice(lines, ROWS)]
    return [
        str(message["content"]) for row in rows for message in row["messages"] if message["content"]
    ]


def _tokenizer(texts: list[str]) -> Any:
    """Byte-level BPE: any text can be encoded; what is said often costs little."""
    tokenizers = import_module("tokenizers")
    bytewise = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.normalizer = tokenizers.normalizers.NFC()
    made.pre_tokenizer = bytewise
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=8192,
        min_frequency=2,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    known = [*_common_characters() * 2, *"，。、：；？！“”（）《》" * 50]
    made.train_from_iterator([*known, *texts], trainer)
    tags = [form.format(tag) for tag in TAGS for form in ("<{}>", "</{}>")]
    whole = [*tags, *LAYOUT]
    made.add_tokens(
        [tokenizers.AddedToken(each, special=False, normalized=False) for each in whole]
    )
    return import_module("transformers").PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=SPECIAL[2],
        pad_token=SPECIAL[0],
        model_max_length=POSITIONS,
        chat_template=TEMPLATE,
    )


def _model(tokenizer: Any) -> Any:
    """Random weights from a fixed seed."""
    transformers, torch = import_module("transformers"), import_module("torch")
    end, pad = (tokenizer.convert_tokens_to_ids(each) for each in ("<|im_end|>", "<|endoftext|>"))
    torch.manual_seed(0)
    model = transformers.Qwen3ForCausalLM(
        transformers.Qwen3Config(
            vocab_size=-(-len(tokenizer) // 64) * 64,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=32,
            max_position_embeddings=POSITIONS,
            tie_word_embeddings=True,
            initializer_range=0.2,  # at so small a size; learns the form twice as fast as 0.02
            bos_token_id=pad,
            eos_token_id=end,
            pad_token_id=pad,
        )
    ).float()
    model.generation_config = transformers.GenerationConfig(
        eos_token_id=[end, pad], pad_token_id=pad, do_sample=True
    )
    return model


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve(), [path for path in map(Path, sys.argv[2:]) if path.exists()])
