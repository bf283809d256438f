"""The options and arguments of the commands, as --help explains them."""

from pathlib import Path
from typing import Annotated, Literal

import typer

KindName = Literal["pattern", "person"]
LearnableKindName = Literal["pattern", "person", "object"]
RecipeName = Literal["both", "similarity", "denoising"]
FormName = Literal["diffusers", "a1111", "kohya", "onetrainer", "sdxl"]
DtypeName = Literal["float32", "float16", "bfloat16"]
KindOption = Annotated[
    KindName, typer.Option(help="The kind of the concepts.")
]
SeedsOption = Annotated[
    str,
    typer.Option(
        metavar="A-B", help="The unseen concepts, as in 1-10 or 1,4,8-9."
    ),
]
RecipeOption = Annotated[
    RecipeName, typer.Option(help="The losses to learn by.")
]
JsonOption = Annotated[
    Path, typer.Option("--json", metavar="FILE", help="Where the numbers go.")
]
ImagesArgument = Annotated[
    str,
    typer.Argument(
        metavar="IMAGES", help="A folder of images, or a concept's name."
    ),
]
WordFileArgument = Annotated[
    str, typer.Argument(metavar="TARGET", help="The word's .safetensors file.")
]
LearnableKindOption = Annotated[
    LearnableKindName | None,
    typer.Option(help="What the images show; by default the concept's kind."),
]
StepsOption = Annotated[
    int | None, typer.Option(help="How many steps at most.")
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(help="Images a step, of all processes together."),
]
SourceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE", help="A word's file, ours or another program's."
    ),
]
TargetFileArgument = Annotated[
    str, typer.Argument(metavar="TARGET", help="The file to write.")
]
FormOption = Annotated[
    FormName | None,
    typer.Option(
        help="How the file is laid out: kohya is InvokeAI's as well, sdxl "
        "is for two text encoders. By default diffusers or sdxl, and a1111 "
        "for a TARGET in .pt."
    ),
]
DtypeOption = Annotated[
    DtypeName, typer.Option(help="The number format of the vectors.")
]
WordOption = Annotated[
    str | None,
    typer.Option(help="What to call the word, if not by its own name."),
]
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
