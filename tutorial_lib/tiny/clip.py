"""Train the tiny CLIP: pictures and captions of the drawn world.

open_clip's own model class, loss and tokenizer (CLIP's 49,408 tokens).
"""

from pathlib import Path

import open_clip
import torch

from tutorial_lib.tiny.pictures import Pictures
from tutorial_lib.tiny.training import Plan, autocast, to_pixels, train

PLAN = Plan(
    steps=2000, batch_size=256, lr=1e-3, warmup=200, weight_decay=0.05,
    betas=(0.9, 0.98),
)


def clip_config(size: int) -> dict:
    """Return open_clip's model config for pictures of a size."""
    return {
        "embed_dim": 192,
        "vision_cfg": {
            "layers": 4, "width": 192, "head_width": 32, "patch_size": 16,
            "image_size": size,
        },
        "text_cfg": {
            "context_length": 32, "vocab_size": 49408, "width": 192,
            "heads": 6, "layers": 4, "pool_type": "eos", "eos_id": 49407,
        },
    }


def train_clip(
    pictures: Pictures, size: int, checkpoint: Path, device: str,
    plan: Plan = PLAN,
) -> open_clip.CLIP:
    """Train CLIP to tell which caption belongs to which picture."""
    torch.manual_seed(plan.seed)
    model = open_clip.CLIP(**clip_config(size)).to(device)
    tokens = tokenize_captions(pictures.captions)
    contrast = open_clip.ClipLoss()

    def compute_loss(model, generator):
        """Compare each picture with all captions of a batch."""
        chosen = torch.randint(
            len(tokens), (plan.batch_size,), generator=generator
        )
        batch = to_pixels(pictures.pixels, chosen, device)
        text = tokens[chosen].to(device)
        with torch.no_grad():
            model.logit_scale.clamp_(max=4.6052)  # at most 100
        with autocast(device):
            seen, read, scale = model(batch, text)
        return contrast(seen.float(), read.float(), scale)

    return train(model, plan, compute_loss, checkpoint, "CLIP")


def tokenize_captions(captions: list[str]) -> torch.Tensor:
    """Return token ids (n, context length), padded with 0."""
    length = clip_config(64)["text_cfg"]["context_length"]
    return open_clip.SimpleTokenizer(context_length=length)(captions)
