"""Figures of how Stable Diffusion generates: latents, schedule, errors."""

from collections.abc import Sequence

from jaxtyping import Float
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from tutorial_lib.figures.plots import THEMES, start_figure

BRIGHTEST = 3.0  # the value of a latent shown as white; more is cut off


def channels_to_images(
    latents: Float[Tensor, "channels height width"],
    brightest: float = BRIGHTEST,
    side: int = 128,
) -> list[Image.Image]:
    """Return each channel of a latent as a grey picture.

    Black is -`brightest`, mid-grey 0, white `brightest`. The pictures are
    `side` pixels wide.
    """
    grey = (latents.float().cpu() / brightest + 1) / 2 * 255
    return [
        Image.fromarray(channel).resize((side, side), Image.Resampling.NEAREST)
        for channel in grey.round().clamp(0, 255).byte().numpy()
    ]


def plot_shares(
    signal: Sequence[float],
    noise: Sequence[float],
    marks: Sequence[int] = (),
    theme: str = "light",
) -> Figure:
    """Plot how much signal and noise a schedule mixes at each timestep.

    The two curves differ in dash as well as in colour, and each has its
    name beside it; dots stand at the timesteps `marks`.
    """
    colors = THEMES[theme]
    figure, (axis,) = start_figure(columns=1, theme=theme)
    for name, values, color, dash, alignment in (
        ("picture", signal, colors["accent"], "-", "left"),
        ("noise", noise, colors["second"], "--", "right"),
    ):
        axis.plot(values, dash, color=color, linewidth=1.6)
        axis.plot(marks, [values[i] for i in marks], "o", color=color)
        place = len(values) // 2  # beside the middle, on the free side
        axis.annotate(
            name,
            (place, values[place]),
            xytext=(0, 9),
            ha=alignment,
            textcoords="offset points",
            fontsize=9,
            color=color,
        )
    axis.set(xlabel="timestep", ylabel="share", ylim=(-0.03, 1.12))
    return figure


def plot_errors(
    timesteps: Sequence[int],
    errors: dict[str, Sequence[float]],
    theme: str = "light",
) -> Figure:
    """Plot errors of the predicted noise, one curve for each caption.

    `errors` maps a caption's name to its error at each timestep, divided
    by the right caption's. The curves differ in marker and dash as well as
    in colour; at most four can be told apart.
    """
    colors = THEMES[theme]
    figure, (axis,) = start_figure(columns=1, theme=theme)
    styles = (("o", "-"), ("s", "--"), ("D", ":"), ("^", "-."))
    names = ("ink", "second", "accent", "faint")
    for (label, values), (marker, dash), name in zip(
        errors.items(), styles, names, strict=False
    ):
        axis.plot(
            timesteps,
            values,
            dash,
            marker=marker,
            markersize=5,
            color=colors[name],
            linewidth=1.4,
            label=label,
        )
    axis.legend(fontsize=8, frameon=False, labelcolor=colors["ink"])
    axis.set(xlabel="timestep", ylabel="error / that of the right caption")
    return figure
