"""Projections without training: random, or the principal directions of hidden states (PCA without centring).

MaxSim compares vectors by their inner product. The projection therefore keeps the directions that hold most of the inner
products: the leading eigenvectors of the second-moment matrix of the hidden states.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import nn

from bench.encoder.batching import autocast, length_batches
from bench.encoder.encode import TOKENS_PER_BATCH
from bench.encoder.inputs import Inputs


def hidden_states(
    bert: nn.Module, inputs: Inputs, texts: Sequence[str], *, maxlen: int, precision: str, device: str = "cpu"
) -> Iterator[np.ndarray]:
    """Yield last hidden states ``[kept tokens, hidden]`` float32 of passages per batch, shortest passages first."""
    tokens = inputs.passages(texts, maxlen)
    with torch.inference_mode(), autocast(precision, device):
        for batch in length_batches(tokens.lengths, TOKENS_PER_BATCH):
            ids, attention = tokens.padded(batch, inputs.pad)
            given = {"input_ids": torch.from_numpy(ids).to(device), "attention_mask": torch.from_numpy(attention).to(device)}
            hidden = bert(**given).last_hidden_state.float().cpu().numpy()
            yield hidden[attention.astype(bool) & inputs.kept(ids)]


def second_moment(hidden: Iterable[np.ndarray]) -> np.ndarray:
    """Return the mean outer product ``[hidden, hidden]`` float64 of the rows of all blocks ``[rows, hidden]``."""
    total: np.ndarray | float = 0.0
    rows = 0
    for block in hidden:
        total = total + block.T.astype(np.float64) @ block
        rows += len(block)
    return np.asarray(total) / max(rows, 1)


def principal_directions(moment: np.ndarray, dim: int) -> torch.Tensor:
    """Return the leading eigenvectors ``[dim, hidden]`` float32; the entry of largest magnitude in each is positive."""
    _, vectors = np.linalg.eigh(moment)
    weight = vectors[:, ::-1][:, :dim].T
    signs = np.sign(weight[np.arange(dim), np.abs(weight).argmax(axis=1)])
    return torch.from_numpy((weight * signs[:, None]).astype(np.float32))


def drawn(dim: int, hidden: int, seed: int) -> torch.Tensor:
    """Return a random weight ``[dim, hidden]`` float32 as BERT initialises its layers: normal, standard deviation 0.02."""
    return torch.empty(dim, hidden).normal_(std=0.02, generator=torch.Generator().manual_seed(seed))
