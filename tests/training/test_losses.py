"""Scores and loss against loops and numbers worked out by hand."""

import math

import pytest
import torch

from bench.training.losses import (
    distillation_loss,
    in_batch_loss,
    in_batch_tuple_loss,
    late_interaction_scores,
    own_scores,
    tuple_scores,
)


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


STUDENT = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]])
TEACHER = torch.tensor([[1.0, 1.0, 0.0], [2.0, 0.0, 1.0]])


def softmax(row):
    total = sum(math.exp(x) for x in row)
    return [math.exp(x) / total for x in row]


def test_the_divergence_of_two_queries_and_three_passages_by_hand():
    # normalizers: log(e^2 + e + 1) = 2.40761, log(2e + 1) = 1.86200, log(1 + e + e^3) = 3.16985
    first = 0.42232 * (1 - 2) + 0 + 0 - 1.86200 + 2.40761
    second = 0.66524 * (2 - 0) + 0.09003 * (0 - 1) + 0.24473 * (1 - 3) - 2.40761 + 3.16985
    assert float(distillation_loss(STUDENT, TEACHER)) == pytest.approx((first + second) / 2, abs=2e-5)


def test_the_divergence_is_from_the_teacher_to_the_student_and_not_the_other_way():
    one, other = torch.tensor([[0.0, math.log(3.0)]]), torch.tensor([[0.0, 0.0]])
    expected = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert float(distillation_loss(one, other)) == pytest.approx(expected, rel=1e-6)
    assert float(distillation_loss(other, one)) == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5), rel=1e-6)


def test_the_divergence_of_scores_that_differ_by_a_constant_is_zero():
    assert float(distillation_loss(TEACHER + 7, TEACHER)) == pytest.approx(0.0, abs=1e-6)


def test_the_gradient_of_the_divergence_by_hand_is_the_difference_of_the_softmaxes():
    scores = STUDENT.clone().requires_grad_()
    distillation_loss(scores, TEACHER).backward()
    torch.testing.assert_close(scores.grad, (torch.softmax(STUDENT, 1) - torch.softmax(TEACHER, 1)) / 2)


PAIRS = torch.tensor([[3.0, 1.0, 2.0, 0.5, 1.5, 0.0], [1.0, 0.0, 2.0, 2.5, 9.0, 4.0]])  # tuples of three for two queries


def test_the_scores_of_a_querys_own_tuple_are_blocks_of_those_of_all_pairs():
    assert own_scores(PAIRS).tolist() == [[3.0, 1.0, 2.0], [2.5, 9.0, 4.0]]


def test_the_in_batch_loss_of_two_tuples_by_hand_leaves_out_the_rest_of_the_own_tuple():
    first = -math.log(softmax([3.0, 0.5, 1.5, 0.0])[0])
    second = -math.log(softmax([2.5, 1.0, 0.0, 2.0])[0])
    assert float(in_batch_tuple_loss(PAIRS)) == pytest.approx((first + second) / 2, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_scores_of_tuples_are_those_of_all_pairs_where_they_belong(seed):
    queries, passages, kept = tensors(seed)
    queries, passages, kept = queries[:2], passages[:4], kept[:4]
    everything = late_interaction_scores(queries, passages, kept)
    torch.testing.assert_close(tuple_scores(queries, passages, kept), own_scores(everything))
    torch.testing.assert_close(own_scores(everything)[1], everything[1, 2:])


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_the_gradient_of_distillation_agrees_with_finite_differences(weight):
    queries, passages, kept = tensors(4, torch.float64)
    queries, passages, kept = queries[:2, :2].requires_grad_(), passages[:4, :3].requires_grad_(), kept[:4, :3]
    teacher = torch.tensor([[1.0, -1.0], [0.5, 2.0]], dtype=torch.float64)

    def loss(q, p):
        own = distillation_loss(tuple_scores(q, p, kept), teacher)
        return own + weight * in_batch_tuple_loss(late_interaction_scores(q, p, kept))

    assert torch.autograd.gradcheck(loss, (queries, passages), eps=1e-6, atol=1e-6)
