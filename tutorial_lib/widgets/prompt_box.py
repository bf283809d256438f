"""A box for a prompt of the reader's own, beside a few fixed ones.

The bars of the fixed prompts are an ordinary figure, so a page without a
kernel shows them too.
"""

import html
import warnings
from functools import partial

import ipywidgets
from IPython.display import display
from PIL import Image
from torch import Tensor

from tutorial_lib.figures import (
    encode_image,
    flatten,
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
    """Show how well prompts fit pictures, and a box to try another.

    A bar is the mean cosine similarity of a prompt with all pictures.
    Taught in notebooks/01_clip_similarity.ipynb.
    """
    vectors = embed_images(models, images)
    fits = measure_fits(models, vectors, prompts)
    show_figure(plot_bars(fits), alt=describe_bars(fits))
    box = ipywidgets.Text(
        description="Prompt:",
        placeholder="write your own, then press Enter",
        continuous_update=False,
        layout=ipywidgets.Layout(width="36em"),
    )
    bars = ipywidgets.HTML()
    answer = partial(answer_prompt, models, vectors, fits, bars)
    box.observe(answer, names="value")
    display(ipywidgets.VBox([box, bars]))


def measure_fits(
    models: Models, vectors: Tensor, prompts: list[str]
) -> dict[str, float]:
    """Return each prompt's mean similarity with the pictures' vectors."""
    texts = embed_texts(models, prompts)
    means = (texts @ vectors.T).mean(1).tolist()
    return dict(zip(prompts, means, strict=True))


def answer_prompt(
    models: Models,
    vectors: Tensor,
    fits: dict[str, float],
    bars: ipywidgets.HTML,
    change: dict,
) -> None:
    """Put a new bar for what was written in the box, and redraw them all.

    `change` is what ipywidgets tells of the box; its "new" is the text.
    """
    prompt = change["new"].strip()
    if not prompt:
        bars.value = ""
        return
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        (mine,) = measure_fits(models, vectors, [prompt]).values()
    shown = {YOURS: mine, **fits}
    image = flatten(rasterize_figure(plot_bars(shown, YOURS), dpi=110))
    said = [f"“{prompt}”: {mine:.2f}", *(str(n.message) for n in notes)]
    bars.value = (
        f'<img width="{image.width}" src="{encode_image(image)}" '
        f'alt="{html.escape(describe_bars(shown), quote=True)}">'
        + "".join(f"<p>{html.escape(line)}</p>" for line in said)
    )


def describe_bars(fits: dict[str, float]) -> str:
    """Return the bars in words, as alt text."""
    listed = "; ".join(f"{name}: {fit:.2f}" for name, fit in fits.items())
    return f"Bars of similarity. {listed}"
