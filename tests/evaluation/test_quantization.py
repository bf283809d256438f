import pytest
import torch

from tutorial_lib.evaluation.quantization import dequantize, quantize


@pytest.fixture
def state():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(6, 3, 5, 5, generator=generator)
    sizes = torch.tensor([1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0])
    return {
        "conv.weight": weight * sizes.view(6, 1, 1, 1),
        "conv.bias": torch.tensor([0.5, -2.0]),
    }


def test_each_row_comes_back_as_near_as_its_largest_number_allows(state):
    weight = state["conv.weight"]
    error = (dequantize(quantize(state))["conv.weight"] - weight).abs()
    largest = weight.abs().flatten(1).amax(1)
    assert (error.flatten(1).amax(1) <= largest / 254 * 1.001).all()
    assert (error.flatten(1).amax(1) > 0).all()


def test_weights_are_stored_in_eight_bits_and_the_rest_in_sixteen(state):
    stored = quantize(state)
    assert stored["conv.weight"].dtype == torch.int8
    assert stored["conv.weight"].abs().flatten(1).amax(1).tolist() == [127] * 6
    assert stored["conv.bias"].dtype == torch.float16
    assert torch.equal(dequantize(stored)["conv.bias"], state["conv.bias"])


def test_a_row_of_zeros_stays_zero():
    back = dequantize(quantize({"weight": torch.zeros(2, 3)}))
    assert torch.equal(back["weight"], torch.zeros(2, 3))


def test_what_was_quantized_once_does_not_change_again(state):
    once = dequantize(quantize(state))
    twice = dequantize(quantize(once))
    torch.testing.assert_close(twice, once, rtol=1e-6, atol=0)


def test_weights_stored_as_float16_are_read_too():
    weight = torch.tensor([[0.5, -0.25]]).half()
    back = dequantize({"weight": weight})["weight"]
    assert back.dtype == torch.float32
    assert torch.equal(back, weight.float())
