"""A projection fitted without training."""

import numpy as np
import torch

from bench.encoder import encode, projection

RNG = np.random.default_rng(11)


def planted(rows=500, hidden=20, dim=4):
    """VectorSample that lie in a random subspace up to a little noise, and an orthonormal basis of it."""
    basis = np.linalg.qr(RNG.standard_normal((hidden, dim)))[0].T
    strength = np.array([8.0, 6.0, 4.0, 2.0])[:dim]
    found = (RNG.standard_normal((rows, dim)) * strength) @ basis + 0.001 * RNG.standard_normal((rows, hidden))
    return found.astype(np.float32), basis


def test_the_second_moment_is_the_mean_outer_product_over_all_blocks():
    rows = RNG.standard_normal((97, 12)).astype(np.float32)
    moment = projection.second_moment(iter(np.split(rows, [10, 10, 60])))
    assert moment.dtype == np.float64
    np.testing.assert_allclose(moment, rows.astype(np.float64).T @ rows / 97, rtol=1e-6)


def test_the_principal_directions_span_a_planted_subspace():
    rows, basis = planted()
    weight = projection.principal_directions(projection.second_moment([rows]), 4).numpy()
    np.testing.assert_allclose(basis @ weight.T @ weight, basis, atol=1e-2)


def test_the_directions_come_in_the_order_of_their_energy():
    rows, _ = planted()
    moment = projection.second_moment([rows])
    weight = projection.principal_directions(moment, 4).numpy()
    energy = np.einsum("dh,hg,dg->d", weight, moment, weight)
    assert energy.tolist() == sorted(energy, reverse=True)
    np.testing.assert_allclose(energy, np.linalg.eigvalsh(moment)[::-1][:4], rtol=1e-4)


def test_the_rows_of_a_projection_are_orthonormal_float32():
    weight = projection.principal_directions(projection.second_moment([RNG.standard_normal((300, 20))]), 8).numpy()
    assert weight.shape == (8, 20)
    assert weight.dtype == np.float32
    np.testing.assert_allclose(weight @ weight.T, np.eye(8), atol=1e-5)


def test_the_largest_entry_of_each_direction_is_positive():
    moment = projection.second_moment([RNG.standard_normal((300, 20))])
    weight = projection.principal_directions(moment, 20).numpy()
    assert (weight[np.arange(20), np.abs(weight).argmax(axis=1)] > 0).all()


def test_all_directions_together_keep_every_inner_product():
    rows, _ = planted(rows=30)
    weight = projection.principal_directions(projection.second_moment([rows]), 20).numpy()
    np.testing.assert_allclose((rows @ weight.T) @ (rows @ weight.T).T, rows @ rows.T, rtol=1e-3, atol=1e-3)


def test_hidden_states_come_for_kept_tokens_only_whatever_the_batches(tiny_encoder, monkeypatch):
    encoder = tiny_encoder()
    texts = ["the cat, and a dog.", "moon", "one horse may eat an apple"]

    def states():
        blocks = projection.hidden_states(encoder.bert, encoder.inputs, texts, maxlen=16, precision="float32")
        return np.concatenate(list(blocks))

    whole = states()
    monkeypatch.setattr(projection, "TOKENS_PER_BATCH", 10)
    assert whole.shape == ((1 + 3) + (6 + 3) + (5 + 3), 32)
    np.testing.assert_allclose(states(), whole, atol=1e-5)


def test_vectors_are_the_normalised_projection_of_hidden_states(tiny_encoder):
    encoder = tiny_encoder()
    (hidden,) = projection.hidden_states(encoder.bert, encoder.inputs, ["moon"], maxlen=16, precision="float32")
    projected = hidden @ encoder.linear.weight.detach().numpy().T
    expected = projected / np.linalg.norm(projected, axis=1, keepdims=True)
    vectors, _ = encode.encode_passages(encoder, ["moon"], maxlen=16)
    np.testing.assert_allclose(vectors.astype(np.float32), expected, atol=2e-3)


def test_a_random_projection_has_berts_deviation_and_depends_on_the_seed_alone():
    weight = projection.drawn(128, 768, seed=3)
    assert (tuple(weight.shape), weight.dtype) == ((128, 768), torch.float32)
    assert abs(float(weight.std()) - 0.02) < 0.0005
    assert abs(float(weight.mean())) < 0.0005
    assert torch.equal(weight, projection.drawn(128, 768, seed=3))
    assert not torch.equal(weight, projection.drawn(128, 768, seed=4))
