"""The options of `models` and `sweep`, as their --help explains them."""

from pathlib import Path
from typing import Annotated, Literal

import typer

StageName = Literal[
    "all",
    "pictures",
    "vae",
    "clip",
    "unet",
    "decoder",
    "judges",
    "write",
    "card",
    "larger-vae",
]
StageArgument = Annotated[
    StageName, typer.Argument(help="One stage, or all in order.")
]
DeviceOption = Annotated[
    str | None, typer.Option(help="By default a GPU where there is one.")
]
SizeOption = Annotated[
    int, typer.Option(help="The side of an image in pixels, 64 or 128.")
]
PicturesOption = Annotated[
    int, typer.Option(help="How many captioned images to render.")
]
JudgedOption = Annotated[
    int, typer.Option(help="How many images to render for the judges.")
]
DrawnOption = Annotated[
    int, typer.Option(help="How many captions to generate for the card.")
]
ShareOption = Annotated[
    float,
    typer.Option(help="Share of images, steps and time, for rehearsals."),
]
PresetOption = Annotated[
    str,
    typer.Option(help="The table of the configs to use: cpu or gpu."),
]
ConfigsOption = Annotated[
    Path, typer.Option(help="Folder of the configs, one TOML file a model.")
]
TensorboardOption = Annotated[
    bool,
    typer.Option("--tensorboard", help="Log losses for TensorBoard, too."),
]
WorkOption = Annotated[
    Path | None, typer.Option(help="Folder of images and checkpoints.")
]
TargetOption = Annotated[
    Path, typer.Option(help="Folder to write the models to.")
]
CardOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Where the measures go: card.json among the models by default.",
    ),
]
WorkersOption = Annotated[
    int, typer.Option(help="How many processes render images.")
]
SweptOption = Annotated[
    Literal["both", "similarity"] | None,
    typer.Option("--recipe", help="One recipe; by default both."),
]
OthersOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--merge",
        metavar="FILE",
        help="Another process's file; its points count as measured.",
    ),
]
