"""Diagrams of the two ways to learn X: the article's and the paper's."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from tutorial_lib.figures.sheet import (
    TEXT_SIZE,
    add_arrow,
    add_box,
    add_line,
    add_note,
    add_picture,
    add_vector,
    quote,
    start_sheet,
)

# Equation 2 of the paper, with its letters.
EQUATION = (
    r"$v_*=\arg\min_v\;\mathbb{E}_{z\sim\mathcal{E}(x),\,y,\,"
    r"\epsilon\sim\mathcal{N}(0,1),\,t}\left[\,\|\,\epsilon-"
    r"\epsilon_\theta(z_t,\,t,\,c_\theta(y))\,\|_2^2\,\right]$"
)


def sketch_article_method(
    sentence: str,
    images: Sequence[Image.Image],
    num_images: int,
    width: int,
    prompt: str,
    generated: Sequence[Image.Image],
    theme: str = "light",
) -> Figure:
    """Sketch the article's steps 1 to 4, the generator included.

    `sentence` is the provisional text, `images` at least three examples of
    the `num_images`, `width` the number of entries of X's vector; `prompt`
    and `generated`, three images, show step 4.
    """
    figure, axis = start_sheet(height=6.7)
    add_box(axis, (0.2, 5.3, 2.6, 0.7), quote(sentence), theme)
    add_box(axis, (3.5, 5.3, 2.0, 0.7), "CLIP for texts\n(frozen)", theme)
    add_box(axis, (3.5, 2.2, 2.0, 0.7), "CLIP for pictures\n(frozen)", theme)
    add_box(axis, (0.2, 3.75, 2.6, 0.7), f"X: {width} numbers", theme, True)
    add_box(axis, (7.6, 3.75, 2.2, 0.7), "cosine similarity", theme)
    for i, image in enumerate(images[:3]):
        add_picture(axis, image, (1.02 + 0.6 * i, 2.27, 0.56, 0.56))
    add_vector(axis, (6.2, 5.53, 1.5, 0.24), theme)
    for y in (2.24, 2.44, 2.64):
        add_vector(axis, (6.2, y, 1.5, 0.16), theme)
    for start, end in (
        ((2.8, 5.65), (3.5, 5.65)),
        ((5.5, 5.65), (6.15, 5.65)),
        ((2.85, 2.55), (3.5, 2.55)),
        ((5.5, 2.55), (6.15, 2.55)),
        ((1.5, 4.45), (1.5, 5.3)),
    ):
        add_arrow(axis, start, end, theme)
    add_arrow(axis, (7.75, 5.65), (8.7, 4.45), theme, through=[(8.7, 5.65)])
    add_arrow(axis, (7.75, 2.52), (8.7, 3.75), theme, through=[(8.7, 2.52)])
    add_arrow(axis, (7.6, 4.1), (2.85, 4.1), theme, is_backward=True)
    add_note(axis, (4.5, 6.32), "① the text becomes a vector", theme)
    add_note(axis, (5.2, 4.4), "② back-propagation rewrites X", theme)
    add_note(axis, (5.2, 3.8), "③ again, until it is similar", theme)
    add_note(axis, (5.2, 3.25), f"{num_images} vectors of pictures", theme)
    _add_generator(axis, prompt, generated, theme)
    return figure


def _add_generator(
    axis: Axes, prompt: str, generated: Sequence[Image.Image], theme: str
) -> None:
    """Add step 4 below the others: a prompt with X becomes pictures."""
    add_line(axis, [(0.9, 1.75), (9.8, 1.75)], theme)
    add_arrow(axis, (0.55, 3.75), (0.55, 1.0), theme)
    add_box(axis, (0.2, 0.3, 2.6, 0.7), quote(prompt), theme)
    stable_diffusion = "Stable Diffusion\n(frozen)"
    add_box(axis, (3.5, 0.3, 2.0, 0.7), stable_diffusion, theme)
    add_arrow(axis, (2.8, 0.65), (3.5, 0.65), theme)
    add_arrow(axis, (5.5, 0.65), (6.15, 0.65), theme)
    for i, image in enumerate(generated[:3]):
        add_picture(axis, image, (6.25 + 1.2 * i, 0.1, 1.1, 1.1))
    note = "④ X goes into the generator, which makes new pictures"
    add_note(axis, (3.4, 1.42), note, theme)


def sketch_paper_method(
    caption: str,
    tokens: Sequence[str],
    image: Image.Image,
    noisy_image: Image.Image,
    width: int,
    theme: str = "light",
) -> Figure:
    """Sketch the paper's method: X, seen from the error of the noise.

    `tokens` are those of `caption`, at most six, and the last is X;
    `noisy_image` is `image` with noise, `width` the number of entries of X's
    vector. Source: Gal et al. (2022), figure 2 and equation 2.
    """
    figure, axis = start_sheet(height=6.3)
    add_note(axis, (2.75, 6.05), quote(caption), theme, size=TEXT_SIZE)
    step = 5.1 / len(tokens)
    for i, token in enumerate(tokens):
        x, is_x = 0.2 + (i + 0.5) * step, i == len(tokens) - 1
        add_box(axis, (x - 0.4, 5.4, 0.8, 0.4), token, theme, is_x)
        add_arrow(axis, (x, 5.4), (x, 4.95), theme)
        add_vector(axis, (x - 0.36, 4.68, 0.72, 0.2), theme, is_x, cells=5)
        add_arrow(axis, (x, 4.6), (x, 4.2), theme)
        name = "v_*" if is_x else f"v_{i + 1}"
        color = "accent" if is_x else "ink"
        place = (x + 0.22, 5.14)
        add_note(axis, place, f"${name}$", theme, TEXT_SIZE, color)
    add_box(axis, (0.2, 3.5, 5.1, 0.7), "text encoder $c_\\theta$ (frozen)",
            theme, size=TEXT_SIZE)  # fmt: skip
    _add_noise(axis, image, noisy_image, theme)
    add_box(axis, (6.0, 2.0, 1.6, 2.2), "U-Net $\\epsilon_\\theta$\n(frozen)",
            theme, size=TEXT_SIZE)  # fmt: skip
    add_arrow(axis, (5.3, 3.85), (6.0, 3.85), theme)
    add_box(axis, (8.2, 3.35, 1.6, 0.85), "error\n"
            r"$\|\epsilon-\epsilon_\theta\|^2$", theme)  # fmt: skip
    add_arrow(axis, (7.6, 3.78), (8.2, 3.78), theme)
    x = 0.2 + (len(tokens) - 0.5) * step
    add_arrow(axis, (9.0, 4.2), (x + 0.36, 4.78), theme, True,
              [(9.0, 4.78)])  # fmt: skip
    note = (
        f"the gradient passes all of it and\nchanges the {width} numbers of X"
    )
    add_note(axis, (7.6, 5.25), note, theme, color="accent")
    add_note(axis, (5.0, 0.4), EQUATION, theme, size=11)
    return figure


def _add_noise(
    axis: Axes, image: Image.Image, noisy_image: Image.Image, theme: str
) -> None:
    """Add the lower half: a picture's latents, and the noise in them."""
    add_picture(axis, image, (0.2, 1.75, 1.1, 1.1))
    add_note(axis, (0.75, 1.5), "picture $x$", theme)
    add_box(axis, (1.8, 1.95, 1.3, 0.7), "VAE\n(frozen)", theme)
    add_arrow(axis, (1.35, 2.3), (1.8, 2.3), theme)
    add_arrow(axis, (3.1, 2.3), (4.0, 2.3), theme)
    add_note(axis, (3.5, 2.52), "$z$", theme, size=TEXT_SIZE)
    add_picture(axis, noisy_image, (4.1, 1.75, 1.1, 1.1))
    add_note(axis, (4.65, 3.05), "$z_t$: latents with noise", theme)
    add_arrow(axis, (5.25, 2.3), (6.0, 2.3), theme)
    add_box(axis, (1.8, 0.95, 3.3, 0.45), "noise $\\epsilon$, timestep $t$",
            theme)  # fmt: skip
    add_arrow(axis, (3.6, 1.4), (3.6, 2.25), theme)
    add_arrow(axis, (5.1, 1.18), (9.0, 3.35), theme, through=[(9.0, 1.18)])
