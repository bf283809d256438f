"""A miniature of the models: the real classes, random weights, no time.

It has all the parts of the real ones and goes through the same code; only
its images are noise.
"""

import copy

import open_clip
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from tutorial_lib.inversion import learn_word

# Tests compare numbers: those of a processor with bfloat16 must not differ,
# in this process (by conftest.py) or in others. Where it is tested, it is
# asked for.
torch.cpu._is_avx512_bf16_supported = lambda: False

WIDTH = 32
CLIP_CONFIG = {
    "embed_dim": WIDTH,
    "vision_cfg": {
        "layers": 2,
        "width": WIDTH,
        "patch_size": 16,
        "head_width": 16,
        "image_size": 32,
    },
    "text_cfg": {
        "context_length": 24,
        "vocab_size": 49408,
        "width": WIDTH,
        "heads": 2,
        "layers": 2,
        "pool_type": "eos",
        "eos_id": 49407,
    },
}


def make_clip():
    """Make a CLIP with random weights, large enough for clear answers."""
    torch.manual_seed(0)
    clip = open_clip.CLIP(**copy.deepcopy(CLIP_CONFIG)).eval()
    with torch.no_grad():
        for parameter in clip.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return clip


def make_vae():
    """Make a VAE that halves 32 pixels twice, with random weights."""
    torch.manual_seed(1)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        sample_size=32,
        scaling_factor=0.5,
    )


def make_unet(**options):
    """Make a U-Net of two levels, with random weights.

    `options` are further ones of its configuration.
    """
    torch.manual_seed(2)
    return UNet2DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(16, 16),
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=8,
        cross_attention_dim=WIDTH,
        **options,
    )


def learn(models, images, **settings):
    """Learn a word in a few steps, without a bar."""
    return learn_word(
        models, images, **{"steps": 12, "progress": False, **settings}
    )
