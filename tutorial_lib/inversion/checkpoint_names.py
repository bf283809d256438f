"""A checkpoint's file for each run, so that no run meets another's."""

import hashlib
import re
from pathlib import Path
from typing import Any

from tutorial_lib.arguments import read_path
from tutorial_lib.images import Images, as_concept
from tutorial_lib.inversion.checkpoints import fingerprint_run
from tutorial_lib.inversion.config import TrainingConfig, read_config
from tutorial_lib.inversion.learn import change_config
from tutorial_lib.inversion.trainer import TextualInversionTrainer
from tutorial_lib.models import Models


def name_checkpoint(
    folder: str | Path,
    models: Models,
    concept: Images,
    config: TrainingConfig | None = None,
    **settings: Any,
) -> Path:
    """Return where in a folder the checkpoint of a run belongs.

    `learn_word`, given the same and this path, goes on with that very run;
    other images, models or settings have another path. Raises WordError for
    settings that cannot be met. Taught in notebooks/11_your_own_x.ipynb.
    """
    folder, concept = read_path(folder, "folder"), as_concept(concept)
    config = change_config(read_config(config), settings)
    trainer = TextualInversionTrainer(models, concept, config, progress=False)
    digest = hashlib.sha256(fingerprint_run(trainer).encode()).hexdigest()
    name = re.sub(r'[<>:"/\\|?*\0]', "_", concept.name)
    return folder / f"{name} {digest[:8]}.checkpoint"
