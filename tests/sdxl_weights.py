"""What the tests of the stand-in of Stable Diffusion XL share."""

import hashlib


def list_parts(models):
    """Return the networks of the models by name."""
    names = ("text_encoder", "text_encoder_2", "unet", "vae")
    parts = {name: getattr(models.pipeline, name) for name in names}
    return {**parts, "clip": models.clip}


def hash_weights(models):
    """Return a digest of each weight of the models, of every bit of it."""
    return {
        (part, name): hashlib.sha256(weight.numpy().tobytes()).hexdigest()
        for part, network in list_parts(models).items()
        for name, weight in network.state_dict().items()
    }
