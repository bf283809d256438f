"""Prompts become images, images become latents, and CLIP compares both."""

from tutorial_lib.generation.attention_maps import (
    AttentionMaps,
    generate_with_attention,
    record_attention,
    stack_attention,
    upsample_maps,
)
from tutorial_lib.generation.clip_features import (
    embed_images,
    embed_texts,
    embed_token_ids,
    find_nearest_rows,
    measure_similarity,
)
from tutorial_lib.generation.ddim_inversion import (
    follow_timesteps,
    generate_from_noise,
    invert_images,
    make_ddim_scheduler,
)
from tutorial_lib.generation.latents import (
    convert_to_noise,
    decode_latents,
    encode_distributions,
    encode_images,
    encode_posterior,
    predict_noise,
    predict_x0,
    to_pixels,
)
from tutorial_lib.generation.over_steps import generate_over_steps
from tutorial_lib.generation.pooled_caption import (
    generate_with_pooled_caption,
    use_pooled_caption,
)
from tutorial_lib.generation.sampling import (
    generate,
    make_noise,
    make_sampling_scheduler,
)
from tutorial_lib.generation.text_encoding import (
    encode_prompts,
    encode_token_ids,
)

__all__ = [
    "AttentionMaps",
    "convert_to_noise",
    "decode_latents",
    "embed_images",
    "embed_texts",
    "embed_token_ids",
    "encode_distributions",
    "encode_images",
    "encode_posterior",
    "encode_prompts",
    "encode_token_ids",
    "find_nearest_rows",
    "follow_timesteps",
    "generate",
    "generate_from_noise",
    "generate_over_steps",
    "generate_with_attention",
    "generate_with_pooled_caption",
    "invert_images",
    "make_ddim_scheduler",
    "make_noise",
    "make_sampling_scheduler",
    "measure_similarity",
    "predict_noise",
    "predict_x0",
    "record_attention",
    "stack_attention",
    "to_pixels",
    "upsample_maps",
    "use_pooled_caption",
]
