"""The relational alignment loss and cosine Gram matrices."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.losses import cosine_gram, relational_alignment_loss


def test_gram_matrix_holds_the_cosines():
    features = torch.tensor([[2.0, 0.0], [0.0, 5.0], [1.0, 1.0], [-3.0, 0.0]], dtype=torch.float64)
    half = 0.5**0.5
    expected = [[1.0, 0.0, half, -1.0], [0.0, 1.0, half, 0.0], [half, half, 1.0, -half], [-1.0, 0.0, -half, 1.0]]
    torch.testing.assert_close(cosine_gram(features), torch.tensor(expected, dtype=torch.float64))


@given(st.integers(0, 2**31), st.floats(0.1, 10.0))
def test_gram_matrix_is_the_same_after_a_rotation_and_a_scaling(seed, scale):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(2, 7, 5, generator=generator, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(5, 5, generator=generator, dtype=torch.float64))[0]
    # Products of unit vectors of five numbers.
    torch.testing.assert_close(cosine_gram(scale * features @ rotation), cosine_gram(features), rtol=0.0, atol=1e-14)


def test_a_rotated_teacher_of_another_size_costs_nothing():
    features = torch.randn(3, 6, 4, dtype=torch.float64)
    teacher = torch.cat([features, torch.zeros(3, 6, 8)], dim=-1) * 3.0
    assert relational_alignment_loss(features, cosine_gram(teacher)) < 1e-15


def test_loss_is_the_mean_difference_over_all_pairs():
    apart = torch.eye(4, dtype=torch.float64)
    # Twelve pairs off the diagonal are 0 here and 1 there.
    assert relational_alignment_loss(apart, torch.ones(4, 4, dtype=torch.float64)).item() == pytest.approx(12 / 16)


def test_only_selected_tokens_count():
    features = torch.eye(3, dtype=torch.float64).repeat(2, 1, 1)
    relations = torch.ones(2, 3, 3, dtype=torch.float64)
    relations[0, 2], relations[0, :, 2] = float("nan"), float("nan")
    selected = torch.tensor([[True, True, False], [False, False, False]])
    # Two of four pairs differ by 1; the second clip has none.
    assert relational_alignment_loss(features, relations, selected=selected).item() == pytest.approx(0.5)
    assert relational_alignment_loss(features[1], relations[1], selected=selected[1]) == 0.0


def test_only_the_student_gets_a_gradient():
    features = torch.randn(5, 3, requires_grad=True)
    teacher = torch.randn(5, 3, requires_grad=True)
    relational_alignment_loss(features, cosine_gram(teacher)).backward()
    assert features.grad.any()
    assert teacher.grad is None


def test_a_token_of_length_zero_has_a_finite_gradient():
    features = torch.randn(4, 3)
    features[1] = 0.0
    features.requires_grad_()
    relational_alignment_loss(features, torch.eye(4)).backward()
    assert torch.isfinite(features.grad).all()


def test_gradients_are_those_of_differences():
    generator = torch.Generator().manual_seed(4)
    features = torch.randn(2, 4, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    relations = cosine_gram(torch.randn(2, 4, 6, generator=generator, dtype=torch.float64))
    # The diagonal is at the kink of |x|, with a derivative of 0 on either side but for rounding: leave it out.
    relations = relations + 0.5 * torch.eye(4)
    assert torch.autograd.gradcheck(lambda f: relational_alignment_loss(f, relations), (features,))


def test_half_precision_and_autocast_are_computed_in_single():
    features = torch.eye(4, dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = relational_alignment_loss(features, torch.full((4, 4), 1 / 3))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx((4 * 2 / 3 + 12 / 3) / 16, rel=1e-6)


def test_what_does_not_fit_is_refused():
    with pytest.raises(SpecError, match="relations"):
        relational_alignment_loss(torch.ones(4, 3), torch.ones(4, 3))
