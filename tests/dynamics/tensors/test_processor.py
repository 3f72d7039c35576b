"""Work that the processor does wherever the tensors live."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.tensors.processor import MANY, SMALL, decomposed, new_tensors_on_the_processor
from tests.pretend_device import NAME, pretend_device


def test_a_decomposition_is_bitwise_identical_and_on_the_device_of_its_matrix(generator: torch.Generator) -> None:
    matrix = torch.randn(2, 3, 3, dtype=torch.float64, generator=generator)
    expected = torch.linalg.svd(matrix)
    assert all(map(torch.equal, decomposed(torch.linalg.svd, matrix), expected))
    with torch.inference_mode(), pretend_device():
        found = decomposed(torch.linalg.svd, matrix.to(torch.get_default_device()))
        assert {part.device.type for part in found} == {NAME}
        assert all(torch.equal(part.cpu(), other) for part, other in zip(found, expected, strict=True))


@pytest.mark.parametrize(("shape", "waits"), [((MANY - 1, 2, 2), 1), ((MANY, 2, 2), 0), ((MANY, SMALL + 1, 2), 1)])
def test_only_few_or_large_matrices_go_to_the_processor(shape: tuple[int, int, int], waits: int) -> None:
    with torch.inference_mode(), pretend_device() as traffic:
        matrix = torch.ones(shape, dtype=torch.float64)
        decomposed(torch.linalg.svdvals, matrix)
        assert traffic.waits == waits


def test_new_tensors_are_made_on_the_processor_for_a_while() -> None:
    with torch.inference_mode(), pretend_device():
        with new_tensors_on_the_processor():
            assert torch.zeros(1).device.type == "cpu"
        assert torch.zeros(1).device.type == NAME
    with new_tensors_on_the_processor():
        assert torch.zeros(1).device.type == "cpu"
