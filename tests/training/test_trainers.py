"""Each trainer takes two steps on a few images: it runs, and it learns."""

import dataclasses

import pytest
import torch
from mini_training import SMALL_CLIP, make_small_unet, write_configs

from tutorial_lib.training import clip, decoder, latents, unet, vae
from tutorial_lib.training.checkpoints import read_checkpoint
from tutorial_lib.training.config import read_config
from tutorial_lib.training.export import (
    make_noise_scheduler,
    text_encoder_from_clip,
)
from tutorial_lib.training.partial_denoising import PartialDenoiser
from tutorial_lib.training.perceptual_loss import PerceptualLoss
from tutorial_lib.training.sampling import ImagePool, make_source
from tutorial_lib.training.steps import Step
from tutorial_lib.world import PARTS

POOLS = {"captioned": [0, 1], "wearers": [0]}
HELD_OUT = ("held-out", "held-out")


@pytest.fixture(scope="module")
def configs(tmp_path_factory):
    """Return a function that reads a config of two steps."""
    folder = write_configs(tmp_path_factory.mktemp("configs"), batch_size=8)

    def read(name, **changes):
        return dataclasses.replace(read_config(name, folder=folder), **changes)

    return read


def make_step(count=8, progress=0.5):
    generator = torch.Generator().manual_seed(0)
    return Step(generator, count, slice(0, count), progress)


def train_small_clip(shards, path, config):
    pool = ImagePool(shards, POOLS)
    held_out = ImagePool(shards, {"held-out": [79]})
    return clip.train_clip(
        clip.make_source(pool, 0.5, side=32),
        path,
        "cpu",
        config,
        clip.make_source(held_out, names=HELD_OUT, side=32),
        model_cfg=SMALL_CLIP,
    )


def test_clip_takes_two_steps(shards, configs, tmp_path):
    path = tmp_path / "clip.pt"
    trained = train_small_clip(shards, path, configs("clip"))
    content = read_checkpoint(path)
    assert content["finished"] and content["held_out_losses"][0][1] > 0
    text_encoder = text_encoder_from_clip(trained)
    assert text_encoder.config.max_position_embeddings == 32


def test_clip_learns(shards, configs, tmp_path):
    config = configs("clip", steps=20, lr=3e-3, evaluate_every=1)
    train_small_clip(shards, tmp_path / "clip.pt", config)
    losses = read_checkpoint(tmp_path / "clip.pt")["held_out_losses"]
    assert losses[-1][1] < losses[0][1] - 1


def test_the_vae_and_its_decoder_take_two_steps(shards, configs, tmp_path):
    held_out = ImagePool(shards, {"held-out": [79]})
    pool = ImagePool(shards, POOLS)
    model = vae.train_vae(
        make_source(pool, vae.COLUMNS, 0.25),
        64,
        tmp_path / "vae.pt",
        "cpu",
        configs("vae"),
        make_source(held_out, vae.COLUMNS, names=HELD_OUT),
    )
    before = {k: v.clone() for k, v in model.state_dict().items()}
    trained_clip = clip.make_clip(SMALL_CLIP).clip.eval()
    decoder.train_decoder(
        model,
        PerceptualLoss(trained_clip),
        PartialDenoiser(
            make_small_unet().requires_grad_(False),
            text_encoder_from_clip(trained_clip),
            make_noise_scheduler(),
            scaling_factor=1.0,
        ),
        make_source(pool, decoder.COLUMNS, 0.25),
        tmp_path / "decoder.pt",
        configs("decoder", lr=1e-2, ema=0.0),
        make_source(held_out, decoder.COLUMNS, names=HELD_OUT),
    )
    for name, weight in model.state_dict().items():
        is_decoder = name.startswith(("decoder.", "post_quant_conv."))
        assert torch.equal(before[name], weight) != is_decoder, name
    for name in ("vae.pt", "decoder.pt"):
        assert read_checkpoint(tmp_path / name)["held_out_losses"][0][1] > 0


def test_the_unet_takes_two_steps_on_latents(shards, configs, tmp_path):
    torch.manual_seed(0)
    pool = ImagePool(shards, POOLS)
    encoder = latents.LatentEncoder(vae.make_vae(64), pool, "cpu")
    encoder.folder = tmp_path
    encoder.latents = ImagePool(tmp_path, POOLS)
    encoder.encode_all(("captioned", "wearers"))
    factor = latents.compute_scaling_factor(encoder.latents)
    small = make_small_unet()
    before = {k: v.clone() for k, v in small.state_dict().items()}
    trained = unet.train_unet(
        small,
        text_encoder_from_clip(clip.make_clip(SMALL_CLIP).clip),
        factor,
        make_source(encoder.latents, unet.COLUMNS, 0.5),
        tmp_path / "unet.pt",
        configs("unet", ema=0.0),
    )
    assert read_checkpoint(tmp_path / "unet.pt")["finished"]
    changed = [
        name
        for name, weight in trained.state_dict().items()
        if not torch.equal(weight, before[name])
    ]
    assert set(changed) == set(before)


# --- parts of them


@pytest.mark.parametrize("size", [64, 128])
def test_latents_have_sixteen_cells_a_side_at_every_size(size):
    model = vae.make_vae(size).eval()
    with torch.no_grad():
        mean = model.encode(torch.zeros(1, 3, size, size)).latent_dist.mean
        assert mean.shape == (1, 4, 16, 16)
        assert model.decode(mean).sample.shape == (1, 3, size, size)


def test_blurring_an_image_counts_as_a_reconstruction_error():
    sharp = torch.zeros(1, 3, 8, 8)
    sharp[..., ::2] = 1
    flat = torch.full_like(sharp, 0.5)
    compute = vae.compute_reconstruction_loss
    assert compute(sharp, sharp) == 0
    assert compute(flat, sharp) > (flat - sharp).abs().mean()


def test_crops_are_cut_out_of_their_own_images():
    pixels = torch.arange(8, dtype=torch.uint8)[:, None, None, None]
    pixels = pixels.expand(8, 16, 16, 3)
    crops = vae.crop(pixels, 4, make_step())
    assert crops.shape == (8, 4, 4, 3)
    assert crops[:, 0, 0, 0].tolist() == list(range(8))


def test_an_error_on_a_shirt_counts_more_and_a_picture_as_much():
    error = torch.ones(2, 4, 16, 16)
    weights = unet.weigh_shirts(error, torch.tensor([True, False]), 4.0)
    weighted = error * weights
    assert weighted.mean((1, 2, 3)).tolist() == pytest.approx([1, 1])
    rows = weights[0, 0, :, 0]
    first = round(PARTS["pattern"][1] * 16)
    assert torch.allclose(rows[first:] / rows[0], torch.tensor(4.0))
    assert (rows[:first] == rows[0]).all() and (weights[1] == 1).all()


def test_one_caption_in_ten_becomes_the_empty_one():
    ids = torch.arange(1, 1001)[:, None].expand(1000, 4)
    empty = torch.zeros(1, 4, dtype=torch.long)
    dropped = unet.drop_captions(ids, empty, make_step(1000))
    is_empty = (dropped == 0).all(1)
    assert 70 < is_empty.sum() < 130
    assert torch.equal(dropped[~is_empty], ids[~is_empty])


def test_captions_end_as_the_pipeline_ends_them():
    ids = torch.tensor([[49406, 320, 49407, 0, 0], [49406, 1, 2, 3, 49407]])
    assert unet.pad_with_end(ids).tolist() == [
        [49406, 320, 49407, 49407, 49407],
        [49406, 1, 2, 3, 49407],
    ]


def test_latents_of_another_vae_are_made_anew(shards, tmp_path):
    pool = ImagePool(shards, {"captioned": [0]})
    for seed in (0, 1):
        torch.manual_seed(seed)
        encoder = latents.LatentEncoder(vae.make_vae(64), pool, "cpu")
        encoder.folder = tmp_path
        assert encoder.list_waiting(["captioned"]) == [("captioned", 0)]
        encoder.encode("captioned", 0)
        assert encoder.list_waiting(["captioned"]) == []


def test_images_that_are_not_kept_go_when_they_are_encoded(shards, tmp_path):
    source = shards / "captioned" / "0001.safetensors"
    for number in (0, 1):
        target = tmp_path / "captioned" / f"000{number}.safetensors"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
    pool = ImagePool(tmp_path)
    encoder = latents.LatentEncoder(vae.make_vae(64), pool, "cpu", num_kept=1)
    for _ in range(2 * latents.STEPS_BETWEEN):
        encoder.encode_next(["captioned"])
    assert sorted(p.name for p in (tmp_path / "captioned").iterdir()) == [
        "0000.safetensors"
    ]
    assert len(list((tmp_path / "latents" / "captioned").iterdir())) == 2
