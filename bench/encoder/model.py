"""The encoder: a BERT-family network, a linear layer without bias and L2 normalisation (arXiv 2112.01488, section 3.1)."""

from pathlib import Path
from typing import Literal

import torch
import transformers
from torch import nn

from bench.config.inputs import InputSettings
from bench.encoder.inputs import Inputs

Kind = Literal["late-interaction", "mean"]


class LateInteraction(nn.Module):
    """Encoder for both queries and passages, with one normalised vector of size ``dim`` per token."""

    kind: Kind = "late-interaction"

    def __init__(self, bert: nn.Module, linear: nn.Linear, inputs: Inputs):
        super().__init__()
        self.bert, self.linear, self.inputs = bert, linear, inputs
        self.dim = linear.out_features

    def forward(self, ids: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        """Return float32 vectors ``[batch, length, dim]`` for ids and attention mask ``[batch, length]``."""
        hidden = self.bert(input_ids=ids, attention_mask=attention).last_hidden_state
        return nn.functional.normalize(self.linear(hidden).float(), dim=-1)


class MeanPooling(nn.Module):
    """Single-vector baseline: one normalised vector per text, the mean over the attended tokens."""

    kind: Kind = "mean"

    def __init__(self, bert: nn.Module, inputs: Inputs):
        super().__init__()
        self.bert, self.inputs = bert, inputs
        self.dim = int(bert.config.hidden_size)

    def forward(self, ids: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        """Return float32 vectors ``[batch, 1, hidden]`` for ids and attention mask ``[batch, length]``."""
        hidden = self.bert(input_ids=ids, attention_mask=attention).last_hidden_state.float()
        weights = attention.unsqueeze(-1).float()
        mean = (hidden * weights).sum(1, keepdim=True) / weights.sum(1, keepdim=True)
        return nn.functional.normalize(mean, dim=-1)


Encoder = LateInteraction | MeanPooling


def late_interaction(
    bert: nn.Module, tokenizer: transformers.PreTrainedTokenizerBase, weight: torch.Tensor, settings: InputSettings
) -> LateInteraction:
    """Return an encoder in evaluation mode with the projection ``weight [dim, hidden]``."""
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    linear.weight.data.copy_(weight)
    return LateInteraction(bert, linear, Inputs(tokenizer, settings)).eval()


def mean_pooling(bert: nn.Module, tokenizer: transformers.PreTrainedTokenizerBase) -> MeanPooling:
    plain = InputSettings(query_marker=None, doc_marker=None, pad_queries=False, drop_punctuation=False)
    return MeanPooling(bert, Inputs(tokenizer, plain)).eval()


def architecture(folder: Path) -> nn.Module:
    """Return the network that ``config.json`` of a folder describes, with new weights and without pooling head."""
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    bert = transformers.AutoModel.from_config(config, dtype=torch.float32)
    if getattr(bert, "pooler", None) is not None:
        bert.pooler = None
    return bert
