"""The encoder: a BERT-family network, a linear layer without bias and L2 normalisation (arXiv 2112.01488, section 3.1).

Models of today have one or more dense layers in place of the one linear layer.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
import transformers
from torch import nn

from bench.encoder.inputs import Inputs

if TYPE_CHECKING:  # a bare machine with a GPU has no pydantic
    from bench.config.inputs import InputSettings

Kind = Literal["late-interaction", "mean"]
Activation = Literal["Identity", "ELU", "GELU", "LeakyReLU", "Mish", "ReLU", "SELU", "Sigmoid", "SiLU", "Softplus", "Tanh"]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Settings of one dense layer. residual: the input is added to the output, by a matrix where their sizes differ."""

    inputs: int
    outputs: int
    bias: bool = False
    activation: Activation = "Identity"
    residual: bool = False

    @property
    def plain(self) -> bool:
        """Whether this is the linear layer of ColBERT."""
        return not (self.bias or self.residual) and self.activation == "Identity"


class Dense(nn.Module):
    """One dense layer: activation of a linear map, and the input added to it if the layer has a residual."""

    def __init__(self, layer: Layer):
        super().__init__()
        self.linear = nn.Linear(layer.inputs, layer.outputs, bias=layer.bias)
        self.activation = getattr(nn, layer.activation)()
        self.added = layer.residual
        self.residual: nn.Module = nn.Identity()
        if layer.residual and layer.inputs != layer.outputs:
            self.residual = nn.Linear(layer.inputs, layer.outputs, bias=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return ``[..., outputs]`` for hidden states ``[..., inputs]``."""
        found = self.activation(self.linear(hidden))
        return found + self.residual(hidden) if self.added else found


def projection(layers: Sequence[Layer]) -> nn.Module:
    """Return the layers with new weights: ColBERT's linear layer if there is one plain layer, else dense ones in order."""
    if len(layers) == 1 and layers[0].plain:
        return nn.Linear(layers[0].inputs, layers[0].outputs, bias=False)
    return nn.Sequential(*map(Dense, layers))


class LateInteraction(nn.Module):
    """Encoder for both queries and passages, with one normalised vector of size ``dim`` per token."""

    kind: Kind = "late-interaction"

    def __init__(self, bert: nn.Module, layers: Sequence[Layer], inputs: Inputs):
        super().__init__()
        self.bert, self.linear, self.inputs = bert, projection(layers), inputs
        self.layers, self.dim = tuple(layers), layers[-1].outputs

    @property
    def described_layers(self) -> list[dict[str, Any]] | None:
        """The settings of the layers, None for ColBERT's one linear layer."""
        return None if isinstance(self.linear, nn.Linear) else [asdict(layer) for layer in self.layers]

    def forward(self, ids: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        """Return float32 vectors ``[batch, length, dim]`` for ids and attention mask ``[batch, length]``."""
        return self.head(self.bert(input_ids=ids, attention_mask=attention).last_hidden_state, attention)

    def head(self, hidden: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """Return the vectors of ``forward`` for the last hidden states ``[batch, length, hidden]`` of the network."""
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
        return self.head(self.bert(input_ids=ids, attention_mask=attention).last_hidden_state, attention)

    def head(self, hidden: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        """Return the vectors of ``forward`` for the last hidden states ``[batch, length, hidden]`` of the network."""
        weights = attention.unsqueeze(-1).float()
        mean = (hidden.float() * weights).sum(1, keepdim=True) / weights.sum(1, keepdim=True)
        return nn.functional.normalize(mean, dim=-1)


Encoder = LateInteraction | MeanPooling


def per_token(encoder: Encoder) -> bool:
    """Whether an encoder has a vector for each token, and not one for each text."""
    return isinstance(encoder, LateInteraction)


def late_interaction(
    bert: nn.Module, tokenizer: transformers.PreTrainedTokenizerBase, weight: torch.Tensor, settings: "InputSettings"
) -> LateInteraction:
    """Return an encoder in evaluation mode with the projection ``weight [dim, hidden]``."""
    encoder = with_layers(bert, tokenizer, [Layer(inputs=weight.shape[1], outputs=weight.shape[0])], settings)
    encoder.linear.load_state_dict({"weight": weight})
    return encoder


def with_layers(
    bert: nn.Module,
    tokenizer: transformers.PreTrainedTokenizerBase,
    layers: Sequence[Layer],
    settings: "InputSettings",
) -> LateInteraction:
    """Return an encoder in evaluation mode, its layers with new weights."""
    return LateInteraction(bert, layers, Inputs(tokenizer, settings, bert)).eval()


def mean_pooling(bert: nn.Module, tokenizer: transformers.PreTrainedTokenizerBase) -> MeanPooling:
    from bench.config.inputs import InputSettings

    plain = InputSettings(query_marker=None, doc_marker=None, pad_queries=False, drop_punctuation=False)
    return MeanPooling(bert, Inputs(tokenizer, plain, bert)).eval()
