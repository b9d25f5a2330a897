"""Scores and losses of contrastive training and of distillation."""

import torch


def late_interaction_scores(queries: torch.Tensor, passages: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """Return the MaxSim scores of all pairs (arXiv 2112.01488, equation 1): ``[queries, passages]``.

    queries: ``[queries, query vectors, dim]``; passages: ``[passages, vectors, dim]``; kept: ``[passages, vectors]`` bool,
    False for padding and punctuation.
    """
    similarities = torch.einsum("qid,pjd->qpij", queries, passages)
    return similarities.masked_fill(~kept[None, :, None, :], -torch.inf).amax(dim=-1).sum(dim=-1)


def in_batch_loss(scores: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return cross-entropy of ``[queries, passages]`` scores; passage q is the positive of query q, all others are
    negatives.
    """
    targets = torch.arange(len(scores), device=scores.device)
    return torch.nn.functional.cross_entropy(scores / temperature, targets)


def tuple_scores(queries: torch.Tensor, passages: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """Return the MaxSim scores of each query with the passages of its own tuple: ``[queries, nway]``.

    queries: ``[queries, query vectors, dim]``; passages: ``[queries * nway, vectors, dim]``, beginning with the passages of
    query 0; kept: ``[queries * nway, vectors]`` bool.
    """
    count = len(queries)
    own = passages.view(count, -1, *passages.shape[1:])
    similarities = torch.einsum("qid,qnjd->qnij", queries, own)
    used = kept.view(count, -1, 1, kept.shape[1])
    return similarities.masked_fill(~used, -torch.inf).amax(dim=-1).sum(dim=-1)


def own_scores(scores: torch.Tensor) -> torch.Tensor:
    """Return the scores of each query's own tuple, ``[queries, nway]``, from all scores ``[queries, queries * nway]``."""
    count = len(scores)
    return scores.view(count, count, -1).diagonal(dim1=0, dim2=1).T


def distillation_loss(scores: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Return KL(teacher || student) of the softmaxes over each tuple, mean over queries (arXiv 2112.01488, section 3.2).

    Both arguments are ``[queries, nway]``, already divided by their temperatures. The authors' code has the same direction.
    """
    student, wanted = torch.log_softmax(scores, dim=-1), torch.log_softmax(teacher, dim=-1)
    return torch.nn.functional.kl_div(student, wanted, log_target=True, reduction="batchmean")


def in_batch_tuple_loss(scores: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of ``[queries, queries * nway]`` scores of all pairs, averaged over queries.

    The scores are already divided by their temperature. The target of query q is the first passage of its own tuple; the
    negatives are all passages of the other queries. The rest of the own tuple is excluded, as in the authors' code, because
    the teacher's scores supervise those passages.
    """
    count = len(scores)
    position = torch.arange(count, device=scores.device)
    others = ~torch.eye(count, dtype=torch.bool, device=scores.device)
    tuples = scores.view(count, count, -1)
    against = tuples[others].view(count, -1)
    first = tuples[position, position, :1]
    return torch.nn.functional.cross_entropy(torch.cat([first, against], dim=1), torch.zeros_like(position))
