"""Scores and loss of contrastive training."""

import torch


def late_interaction_scores(queries: torch.Tensor, passages: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """MaxSim of all pairs (arXiv 2112.01488, equation 1): ``[queries, passages]``.

    queries ``[queries, query vectors, dim]``; passages ``[passages, vectors, dim]``; kept ``[passages, vectors]`` bool,
    False for padding and punctuation.
    """
    similarities = torch.einsum("qid,pjd->qpij", queries, passages)
    return similarities.masked_fill(~kept[None, :, None, :], -torch.inf).amax(dim=-1).sum(dim=-1)


def in_batch_loss(scores: torch.Tensor, temperature: float) -> torch.Tensor:
    """Cross-entropy of ``[queries, passages]`` scores; passage q is the positive of query q, all others are negatives."""
    targets = torch.arange(len(scores), device=scores.device)
    return torch.nn.functional.cross_entropy(scores / temperature, targets)
