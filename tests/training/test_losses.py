"""Scores and loss against loops and numbers worked out by hand."""

import math

import pytest
import torch

from bench.training.losses import in_batch_loss, late_interaction_scores


def tensors(seed, dtype=torch.float32):
    rng = torch.Generator().manual_seed(seed)
    queries = torch.randn(3, 4, 6, generator=rng, dtype=dtype)
    passages = torch.randn(5, 7, 6, generator=rng, dtype=dtype)
    kept = torch.rand(5, 7, generator=rng) > 0.4
    kept[:, 0] = True
    return queries, passages, kept


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_the_sums_of_the_best_kept_passage_vectors(seed):
    queries, passages, kept = tensors(seed)
    found = late_interaction_scores(queries, passages, kept)
    assert found.shape == (3, 5)
    for q in range(3):
        for p in range(5):
            best = [max(float(i @ j) for j, use in zip(passages[p], kept[p], strict=True) if use) for i in queries[q]]
            assert float(found[q, p]) == pytest.approx(sum(best), abs=1e-4)


def test_a_masked_vector_never_wins():
    queries, passages, kept = tensors(0)
    expected = late_interaction_scores(queries, passages, kept)
    loud = passages.clone()
    loud[~kept] = 1000 * queries[0, 0]
    assert torch.equal(late_interaction_scores(queries, loud, kept), expected)


def test_a_masked_vector_does_not_win_against_negative_similarities():
    queries = torch.tensor([[[1.0, 0.0]]])
    passages = torch.tensor([[[-1.0, 0.0], [0.0, 0.0]]])
    assert late_interaction_scores(queries, passages, torch.tensor([[True, False]])).tolist() == [[-1.0]]


def test_a_zero_query_vector_adds_nothing():
    queries, passages, kept = tensors(1)
    longer = torch.cat([queries, torch.zeros(3, 2, 6)], dim=1)
    torch.testing.assert_close(
        late_interaction_scores(longer, passages, kept), late_interaction_scores(queries, passages, kept)
    )


def test_the_loss_of_two_queries_and_four_passages_by_hand():
    scores = torch.tensor([[2.0, 1.0, 0.0, 0.0], [1.0, 3.0, 0.0, 2.0]])
    first = -math.log(math.exp(4) / (math.exp(4) + math.exp(2) + 1 + 1))
    second = -math.log(math.exp(6) / (math.exp(2) + math.exp(6) + 1 + math.exp(4)))
    assert float(in_batch_loss(scores, temperature=0.5)) == pytest.approx((first + second) / 2, rel=1e-6)


def test_the_loss_of_equal_scores_is_the_logarithm_of_the_number_of_passages():
    assert float(in_batch_loss(torch.zeros(2, 4), temperature=0.05)) == pytest.approx(math.log(4))


def test_the_gradient_of_the_loss_by_hand_is_softmax_minus_target():
    scores = torch.tensor([[2.0, 1.0, 0.0, 0.0], [1.0, 3.0, 0.0, 2.0]], requires_grad=True)
    in_batch_loss(scores, temperature=0.5).backward()
    target = torch.eye(2, 4)
    torch.testing.assert_close(scores.grad, (torch.softmax(scores.detach() / 0.5, dim=1) - target) / 0.5 / 2)


def test_the_gradient_through_scores_and_loss_agrees_with_finite_differences():
    queries, passages, kept = tensors(2, torch.float64)
    queries, passages = queries[:2, :2].requires_grad_(), passages[:4, :3].requires_grad_()

    def loss(q, p):
        return in_batch_loss(late_interaction_scores(q, p, kept[:4, :3]), 0.7)

    assert torch.autograd.gradcheck(loss, (queries, passages), eps=1e-6, atol=1e-6)


def test_masked_vectors_get_no_gradient():
    queries, passages, kept = tensors(3)
    passages.requires_grad_()
    in_batch_loss(late_interaction_scores(queries, passages, kept), 1.0).backward()
    assert float(passages.grad[~kept].abs().max()) == 0.0
    assert float(passages.grad[kept].abs().max()) > 0.0
