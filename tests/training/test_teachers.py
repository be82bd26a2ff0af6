"""Relations of tokens to one who knows the simulator's state."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.losses import relational_alignment_loss
from training.teachers import Encoder, contact_graph, contact_kernel, sim_state_relations

NONE = torch.zeros(6, 6, dtype=torch.bool)


def only(instance=0.0, velocity=0.0, contact=0.0):
    return {"weights": (instance, velocity, contact)}


def test_tokens_of_one_object_are_alike():
    instance = torch.tensor([3, 3, 4, 1])
    relations = sim_state_relations(instance, torch.zeros(4, 3), NONE, **only(instance=1.0))
    assert relations.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_tokens_of_near_velocities_are_alike():
    velocity = torch.tensor([[0.0, 0.0, 0.0], [0.3, 0.4, 0.0], [math.nan, 0.0, 0.0]], dtype=torch.float64)
    relations = sim_state_relations(torch.tensor([1, 2, 0]), velocity, NONE, velocity_scale=0.5, **only(velocity=2.0))
    assert relations[0, 1].item() == pytest.approx(math.exp(-0.5), rel=1e-12)
    assert relations[0, 2] == 1.0  # the sky stands still


def test_tokens_of_touching_objects_are_alike():
    contacts = contact_graph(torch.tensor([3]), torch.tensor([4]), count=6)
    relations = sim_state_relations(torch.tensor([3, 4, 5]), torch.zeros(3, 3).double(), contacts, **only(contact=1.0))
    assert relations[0, 1].item() == pytest.approx(math.tanh(0.5), rel=1e-6)
    assert relations[0, 2].item() == pytest.approx(0.0, abs=1e-7)


def test_the_kernels_are_averaged():
    contacts = contact_graph(torch.tensor([3]), torch.tensor([4]), count=6)
    relations = sim_state_relations(torch.tensor([3, 4]), torch.zeros(2, 3).double(), contacts, weights=(2.0, 1.0, 1.0))
    assert relations[0, 1].item() == pytest.approx((0.0 + 1.0 + math.tanh(0.5)) / 4, rel=1e-6)
    assert relations.diagonal().tolist() == pytest.approx([1.0, 1.0], rel=1e-6)


@given(st.integers(0, 2**31))
def test_relations_are_those_of_some_features(seed):
    """A relational loss of 0 can be reached: the matrix is a Gram matrix of unit vectors."""
    generator = torch.Generator().manual_seed(seed)
    instance = torch.randint(0, 6, (2, 9), generator=generator)
    velocity = torch.randn(2, 9, 3, generator=generator, dtype=torch.float64)
    contacts = torch.stack([contact_graph(*torch.randint(3, 6, (2, 4), generator=generator), count=6) for _ in "ab"])
    relations = sim_state_relations(instance, velocity, contacts)
    values, vectors = torch.linalg.eigh(relations)
    # The contact kernel is of float32.
    assert values.min() > -1e-6
    assert ((relations >= 0.0) & (relations <= 1.0 + 1e-6)).all()
    features = vectors * values.clamp(min=0.0).sqrt()[:, None]
    assert relational_alignment_loss(features, relations) < 1e-6


def test_heat_spreads_along_chains_of_contacts():
    chain = contact_graph(torch.tensor([0, 1]), torch.tensor([1, 2]), count=4, ignored=())
    kernel = contact_kernel(chain)
    assert kernel[0, 1] > kernel[0, 2] > 0.0
    assert kernel[0, 3] == 0.0
    torch.testing.assert_close(kernel.diagonal(), torch.ones(4))
    torch.testing.assert_close(contact_kernel(chain.double(), reach=0.0), torch.eye(4, dtype=torch.float64))


def test_contacts_with_ground_and_room_relate_nothing():
    graph = contact_graph(torch.tensor([1, 3, 2, 5], dtype=torch.uint16), torch.tensor([3, 4, 4, 1]), count=6)
    assert graph.nonzero().tolist() == [[3, 4], [4, 3]]
    everything = contact_graph(torch.tensor([1, 3]), torch.tensor([3, 3]), count=6, ignored=())
    assert everything.nonzero().tolist() == [[1, 3], [3, 1]]


def test_no_contact_is_an_empty_graph():
    nobody = torch.zeros(0, dtype=torch.uint16)
    assert not contact_graph(nobody, nobody, count=4).any()


def test_an_encoder_is_whatever_encodes_videos():
    class MeanColour:
        name = "mean_colour"

        def encode(self, video):
            return torch.nn.functional.avg_pool3d(video.transpose(1, 2), 4).movedim(1, -1)

    encoder: Encoder = MeanColour()
    assert encoder.encode(torch.rand(2, 4, 3, 8, 8)).shape == (2, 1, 2, 2, 3)


def test_what_does_not_fit_is_refused():
    instance, velocity = torch.tensor([1, 2]), torch.zeros(2, 3)
    with pytest.raises(SpecError, match="velocities"):
        sim_state_relations(instance, velocity[:1], NONE)
    with pytest.raises(SpecError, match="positive scale"):
        sim_state_relations(instance, velocity, NONE, velocity_scale=0.0)
    with pytest.raises(SpecError, match="weights"):
        sim_state_relations(instance, velocity, NONE, weights=(0.0, 0.0, 0.0))
    with pytest.raises(SpecError, match="below count"):
        contact_graph(torch.tensor([7]), torch.tensor([3]), count=6)
