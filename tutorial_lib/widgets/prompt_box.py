"""A box for a prompt of the reader's own, beside a few fixed ones.

The bars of the fixed prompts are an ordinary figure, so a page without a
kernel shows them too.
"""

import html
import warnings
from functools import partial
from typing import Any

import ipywidgets
from IPython.display import display
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from tutorial_lib.figures import (
    image_to_data_uri,
    plot_bars,
    rasterize_figure,
    show_figure,
)
from tutorial_lib.generation import embed_images, embed_texts
from tutorial_lib.models import Models

YOURS = "your prompt"


def show_prompt_box(
    models: Models, images: list[Image.Image], prompts: list[str]
) -> None:
    """Show how similar prompts are to pictures, and a box to try another.

    A bar is the mean cosine similarity of a prompt to all pictures.
    Taught in notebooks/01_clip_similarity.ipynb.
    """
    image_vectors = embed_images(models, images)
    similarities = measure_means(models, image_vectors, prompts)
    show_figure(plot_bars(similarities), alt=describe_bars(similarities))
    box = ipywidgets.Text(
        description="Prompt:",
        placeholder="write your own, then press Enter",
        continuous_update=False,
        layout=ipywidgets.Layout(width="36em"),
    )
    bars = ipywidgets.HTML()
    answer = partial(answer_prompt, models, image_vectors, similarities, bars)
    box.observe(answer, names="value")
    display(ipywidgets.VBox([box, bars]))


def measure_means(
    models: Models,
    image_vectors: Float[Tensor, "images width"],
    prompts: list[str],
) -> dict[str, float]:
    """Return each prompt's mean similarity to the pictures."""
    text_vectors = embed_texts(models, prompts)
    means = (text_vectors @ image_vectors.T).mean(1).tolist()
    return dict(zip(prompts, means, strict=True))


def answer_prompt(
    models: Models,
    image_vectors: Float[Tensor, "images width"],
    similarities: dict[str, float],
    bars: ipywidgets.HTML,
    change: dict[str, Any],
) -> None:
    """Show all bars below the box, with one for what was written in it.

    `change` is what ipywidgets says of the box; its "new" is the text.
    """
    prompt = change["new"].strip()
    if not prompt:
        bars.value = ""
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (similarity,) = measure_means(models, image_vectors, [prompt]).values()
    all_bars = {YOURS: similarity, **similarities}
    image = rasterize_figure(plot_bars(all_bars, YOURS), dpi=110)
    lines = [f"“{prompt}”: {similarity:.2f}"]
    lines += [str(warning.message) for warning in caught]
    bars.value = (
        f'<img width="{image.width}" src="{image_to_data_uri(image)}" '
        f'alt="{html.escape(describe_bars(all_bars))}">'
        + "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    )


def describe_bars(similarities: dict[str, float]) -> str:
    """Return the bars in words, as alt text."""
    listed = "; ".join(
        f"{name}: {similarity:.2f}"
        for name, similarity in similarities.items()
    )
    return f"Bars of similarity. {listed}"
