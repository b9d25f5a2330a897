"""Make a small model folder of this harness as ColBERT's own models are, for ``make golden`` to export.

python tests/golden/make_model.py FOLDER
"""

import sys
from pathlib import Path

import torch

from bench.config.inputs import InputSettings
from bench.encoder import base, checkpoint
from bench.encoder.model import LateInteraction, late_interaction


def model(folder: Path) -> LateInteraction:
    """The network and tokenizer of a golden checkpoint of BERT's kind, with a pad token of its own and a linear layer."""
    bert, tokenizer = base.load(folder)
    tokenizer.pad_token = "[PAD]"
    weight = torch.randn(16, bert.config.hidden_size, generator=torch.Generator().manual_seed(3))
    return late_interaction(bert, tokenizer, weight, InputSettings())


if __name__ == "__main__":
    made = model(Path(__file__).parent / "pylate" / "bert-residual")
    checkpoint.save(made, Path(sys.argv[1]), settings={"query_maxlen": 24, "doc_maxlen": 100})
