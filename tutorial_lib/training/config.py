"""How each tiny model is trained: one TOML file a model, in configs/.

The numbers before the first table are those for two CPU cores. A table such
as [gpu] holds what differs there: more at once, and a time in place of a
number of steps.
"""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_type_hints

from tutorial_lib.errors import CommandError

CONFIGS = Path(__file__).parent / "configs"
MIXED_PRECISION = ("no", "fp16", "bf16")
# What may change between two parts of one training: it changes no weight.
HARMLESS = (
    "workers",
    "save_every",
    "evaluate_every",
    "tensorboard",
    "data_on_device",
    "compile",
)


@dataclass(frozen=True, kw_only=True)
class PretrainingConfig:
    """How a model is trained: how long, how fast, how many at once.

    Either `steps` or `seconds` says when it ends. The learning rate rises
    over `warmup` steps, stays for `hold` of the run and falls along a cosine
    to nothing. `batch_size` is what one step learns from, all processes and
    all `accumulation` parts together. `ema` is the decay of the exponential
    moving average of the weights (0: none). `wearers` is the share of people
    in patterns that is added to a batch. `workers` processes load batches;
    with `data_on_device` none do, for all images stay on the device that
    trains with them. `compile` has torch compile the model: a minute that a
    long training wins back. The loss on held-out images is taken every
    `evaluate_every` steps.
    """

    batch_size: int
    lr: float
    steps: int | None = None
    seconds: float | None = None
    warmup: int = 100
    hold: float = 0.0
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.99)
    ema: float = 0.0
    mixed_precision: str = "bf16"
    accumulation: int = 1
    wearers: float = 0.0
    loss_weights: dict[str, float] = field(default_factory=dict)
    workers: int = 0
    data_on_device: bool = False
    compile: bool = False
    save_every: int = 200
    evaluate_every: int = 500
    seed: int = 0
    tensorboard: bool = False

    def __post_init__(self) -> None:
        """Raise CommandError for settings that contradict one another."""
        if (self.steps is None) == (self.seconds is None):
            raise CommandError(
                "A model's training ends after `steps` or after `seconds`; "
                "its config must name one of the two."
            )
        if self.mixed_precision not in MIXED_PRECISION:
            raise CommandError(
                f'`mixed_precision` must be "no", "fp16" or "bf16", not '
                f'"{self.mixed_precision}".'
            )
        if min(self.batch_size, self.accumulation) < 1 or (
            self.batch_size % self.accumulation
        ):
            raise CommandError(
                f"A `batch_size` of {self.batch_size} cannot be taken in "
                f"`accumulation` = {self.accumulation} equal parts; choose "
                f"numbers that divide."
            )

    @property
    def weights_depend_on(self) -> dict[str, Any]:
        """What two parts of one training must agree in."""
        settings = dataclasses.asdict(self)
        return {k: v for k, v in settings.items() if k not in HARMLESS}

    def loss_weight(self, name: str) -> float:
        """Return the weight of a part of the loss.

        Raises CommandError if the config does not say it.
        """
        if name not in self.loss_weights:
            raise CommandError(
                f"The config says no weight for `{name}`; add it to its "
                f"table [loss_weights]."
            )
        return self.loss_weights[name]

    def shorten(self, share: float) -> "PretrainingConfig":
        """Return the config of a rehearsal: a share of everything timed."""
        if share == 1:
            return self
        return dataclasses.replace(
            self,
            steps=None if self.steps is None else _share_of(self.steps, share),
            seconds=None if self.seconds is None else self.seconds * share,
            warmup=max(1, round(self.warmup * share)),
            evaluate_every=_share_of(self.evaluate_every, share),
        )


def _share_of(steps: int, share: float) -> int:
    """Return a share of some steps, at least two."""
    return max(2, round(steps * share))


# --- files -----------------------------------------------------------------


def read_config(
    name: str,
    preset: str = "cpu",
    share: float = 1.0,
    folder: Path = CONFIGS,
    tensorboard: bool = False,
) -> PretrainingConfig:
    """Read a model's config, `<name>.toml`, with its table of a preset.

    `share` below 1 is a rehearsal. Raises CommandError, naming the file, if
    it is missing, is no TOML, or has a setting that there is not.
    """
    path = folder / f"{name}.toml"
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CommandError(
            f"'{path}' is not there; each model has a config, as in {CONFIGS}."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise CommandError(
            f"'{path}' cannot be read as TOML: {error}."
        ) from None
    presets = settings.pop("presets", {})
    if preset not in ("cpu", *presets):
        known = " or ".join(["cpu", *presets])
        raise CommandError(
            f"'{path}' has no preset \"{preset}\"; choose {known}."
        )
    overrides = presets.get(preset, {})
    if "seconds" in overrides:
        settings.pop("steps", None)
    settings = settings | overrides | {"tensorboard": tensorboard}
    return _make_config(settings, path).shorten(share)


def _make_config(settings: dict[str, Any], path: Path) -> PretrainingConfig:
    """Check names and types of settings, and build the config."""
    hints = get_type_hints(PretrainingConfig)
    for name, value in settings.items():
        if name not in hints:
            raise CommandError(
                f"'{path}' sets `{name}`, which there is not; the settings "
                f"are {', '.join(hints)}."
            )
        if not _fits(value, hints[name]):
            raise CommandError(
                f"'{path}' sets `{name}` to {value!r}, which is no "
                f"{_describe(hints[name])}."
            )
    if "betas" in settings:
        settings = settings | {"betas": tuple(settings["betas"])}
    try:
        return PretrainingConfig(**settings)
    except TypeError:
        raise CommandError(
            f"'{path}' must set `batch_size` and `lr`."
        ) from None
    except CommandError as error:
        raise CommandError(f"'{path}': {error}") from None


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value of a TOML file can stand for a setting's type."""
    if hint == tuple[float, float]:
        return isinstance(value, list) and list(map(type, value)) in (
            [float, float],
        )
    if hint == dict[str, float]:
        return isinstance(value, dict) and all(
            type(number) in (int, float) for number in value.values()
        )
    kinds = get_args(hint) or (hint,)
    return type(value) in kinds or (float in kinds and type(value) is int)


def _describe(hint: Any) -> str:
    """Say in words what a setting has to be."""
    words = {int: "whole number", float: "number", bool: "true or false"}
    if hint == tuple[float, float]:
        return "list of two decimal numbers"
    if hint == dict[str, float]:
        return "table of numbers"
    kinds = get_args(hint) or (hint,)
    return words.get(kinds[0], "text")
