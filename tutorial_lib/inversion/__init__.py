"""Textual Inversion: the losses, and the trainer that learns X by them."""

from tutorial_lib.inversion.checkpoint_names import name_checkpoint
from tutorial_lib.inversion.config import MAX_NORM, RECIPES, TrainingConfig
from tutorial_lib.inversion.early_stopping import should_stop_early
from tutorial_lib.inversion.interrupts import delay_interrupt
from tutorial_lib.inversion.learn import learn_word
from tutorial_lib.inversion.lora import (
    add_lora,
    count_trained_weights,
    fit_parameters,
    remove_lora,
    save_lora,
)
from tutorial_lib.inversion.losses import DenoisingLoss, SimilarityLoss
from tutorial_lib.inversion.templates import fill_templates
from tutorial_lib.inversion.timesteps import (
    compute_timestep_weights,
    make_target,
    sample_timesteps,
)
from tutorial_lib.inversion.trainer import TextualInversionTrainer

__all__ = [
    "DenoisingLoss",
    "MAX_NORM",
    "RECIPES",
    "SimilarityLoss",
    "TextualInversionTrainer",
    "TrainingConfig",
    "add_lora",
    "compute_timestep_weights",
    "count_trained_weights",
    "delay_interrupt",
    "fill_templates",
    "fit_parameters",
    "learn_word",
    "make_target",
    "name_checkpoint",
    "remove_lora",
    "sample_timesteps",
    "save_lora",
    "should_stop_early",
]
