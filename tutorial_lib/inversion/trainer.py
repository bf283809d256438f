"""The trainer: it learns the vectors of one word, and nothing else.

The vectors are the only leaf with a gradient. The optimizer and a checkpoint
hold kilobytes.
"""

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from tutorial_lib.arguments import read_functions
from tutorial_lib.devices import keep_off_gpu
from tutorial_lib.errors import WordError
from tutorial_lib.images import Images, as_concept
from tutorial_lib.inversion.capacity import check_capacity
from tutorial_lib.inversion.config import (
    TrainingConfig,
    complete_config,
    get_lr,
    plan_phases,
    read_config,
)
from tutorial_lib.inversion.early_stopping import should_stop_early
from tutorial_lib.inversion.interrupts import delay_interrupt
from tutorial_lib.inversion.losses import DenoisingLoss, SimilarityLoss
from tutorial_lib.inversion.low_memory import with_less_memory
from tutorial_lib.inversion.norms import limit_norms, measure_usual_norms
from tutorial_lib.inversion.processes import (
    average_gradients,
    pick_rows,
    stop_together,
)
from tutorial_lib.inversion.stalls import (
    StallDetector,
    check_finite,
    check_gradient,
    explain_stall,
    warn_of_no_gain,
)
from tutorial_lib.inversion.step_plans import describe_plan
from tutorial_lib.models import Models, check_models
from tutorial_lib.processes import (
    average_number,
    count_processes,
    is_main_process,
    mute_others,
    receive_from_main,
)
from tutorial_lib.words import Entry, History, LearnedWord, initialize_word

Callback = Callable[[Entry], object]
LOSS_SCALE = 1024  # a power of two: exact; saves float16 from zeros
EARLY_STEPS = (1, 2, 3, 5)  # of a phase: their vectors are kept, too


class TextualInversionTrainer:
    """Learns a word from the images of a concept.

    `images` is a Concept, a list of images or the like (`as_concept`). Each
    callback is handed every entry of the history once it is complete. What
    changes while it trains is the vectors, the optimizer, the generator, the
    place (phase and step) and the history; `state_dict` copies these. Of
    several processes the main one calls the callbacks. Sources: the
    article's steps 1 to 3; Gal et al. (2022), An Image is Worth One Word,
    section 3. Taught in notebooks/05_textual_inversion.ipynb.
    """

    def __init__(
        self,
        models: Models,
        images: Images,
        config: TrainingConfig | None = None,
        *,
        callbacks: Callback | Iterable[Callback] | None = (),
        progress: bool = True,
    ) -> None:
        check_models(models)
        concept = as_concept(images)
        self.models = models
        self.images = concept.images
        if not self.images:
            raise WordError("There are no pictures to learn from; give some.")
        self.config = complete_config(
            read_config(config), concept, models.profile
        )
        self.callbacks = read_functions(callbacks, "callbacks")
        self.progress = progress
        self.phases = plan_phases(models.profile, self.config)
        if self.phases[-1].recipe == "denoising":  # refused now or never
            pick_rows(self.config.batch_size or models.profile.batch_size)
        self.word = self._initialize_word()
        self.start = self.word.vectors.detach().clone()
        self.max_norms = [
            self.config.max_norm * norm for norm in measure_usual_norms(models)
        ]
        self.generator = torch.Generator("cpu").manual_seed(self.config.seed)
        self.history = History()
        self.pressed: list[Any] = []  # Ctrl-C, where processes stop together
        self._start_phase(0)

    def fit(self) -> LearnedWord:
        """Train to the end, from wherever the trainer stands.

        Returns the learned word. After Ctrl-C the trainer stands at the end
        of a whole step, and `fit` goes on from there. Raises WordError if
        the loss is no number any more, or the word does not move; warns if
        it is as it began, since no step brought anything. Several processes
        share each step, from where the main one stands.
        """
        with mute_others(), stop_together() as self.pressed:
            if count_processes() > 1:
                self.load_state_dict(receive_from_main(self.state_dict()))
            self._fit_phases()
            warn_of_no_gain(self.start, self.get_word(), self.phases[-1])
        return self.get_word()

    def _fit_phases(self) -> None:
        """Train all phases that are left."""
        similarity = self._make_loss("similarity")
        # From here on the images' CLIP embeddings are known.
        with keep_off_gpu(self.models.clip.visual, self.models.device):
            while self.phase < len(self.phases):
                recipe = self.phases[self.phase].recipe
                loss = similarity
                if recipe != "similarity":
                    loss = self._make_loss(recipe)
                self._fit_phase(loss, similarity)
                with delay_interrupt():
                    self._restore_best()
                    self._start_phase(self.phase + 1)

    def get_word(self) -> LearnedWord:
        """Return the word as it is now, on the CPU."""
        history = History(self.history)
        history.stopped = self.phase < len(self.phases)
        return replace(
            self.word,
            **self.word.copy_vectors(),
            steps=self.history[-1]["step"] if self.history else 0,
            history=history,
        )

    def state_dict(self) -> dict[str, Any]:
        """Copy all that changes while the trainer trains; kilobytes."""
        return {
            **self.word.copy_vectors(),
            "optimizer": copy.deepcopy(self.optimizer.state_dict()),
            "generator": self.generator.get_state(),
            "phase": self.phase,
            "step": self.step,
            "history": [dict(entry) for entry in self.history],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to where the trainer was when the state was copied."""
        self._start_phase(state["phase"])
        self.word.restore_vectors(state)
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.step = state["step"]
        self.history = History(dict(entry) for entry in state["history"])

    # --- setting up

    def _initialize_word(self) -> LearnedWord:
        """Return the word with the vectors that it begins as."""
        config = self.config
        assert config.initializer is not None  # `complete_config` saw to it
        check_capacity(
            self.models,
            tuple(config.templates or ()),
            config.word,
            config.num_vectors,
        )
        word = initialize_word(
            self.models, config.word, config.initializer, config.num_vectors
        )
        # On the CPU Adam needs no kernels, and nothing waits for the GPU; the
        # vectors are kilobytes.
        vectors = {
            name: tensor.requires_grad_()
            for name, tensor in word.copy_vectors().items()
        }
        return replace(
            word,
            **vectors,
            recipe=config.recipe,
            num_images=len(self.images),
        )

    def _make_loss(self, recipe: str) -> SimilarityLoss | DenoisingLoss:
        """Prepare the loss of a recipe: images are encoded only once."""
        templates = self.config.templates or ()
        given = (self.models, self.images, templates, self.word)
        config = self.config
        loss: SimilarityLoss | DenoisingLoss
        if recipe == "similarity":
            loss = SimilarityLoss(*given)
        else:
            loss = DenoisingLoss(
                *given,
                batch_size=config.batch_size,
                autocast=config.autocast,
                progress=self.progress,
                micro_batch_size=config.micro_batch_size,
                gradient_checkpointing=config.gradient_checkpointing,
                compile=config.compile,
            )
            if loss.plan_number:
                tqdm.write(describe_plan(loss.plan, loss.num_rows))
        on_gpu = torch.device(self.models.device).type == "cuda"
        if on_gpu and config.cuda_graph is not False:
            with_less_memory(loss, loss.record)
        return loss

    def _start_phase(self, number: int) -> None:
        """Begin a phase with a fresh optimizer, of the vectors alone."""
        self.phase, self.step = number, 0
        self.stalls = StallDetector()
        self.optimizer: torch.optim.Optimizer = torch.optim.Adam(
            self.word.tensors, weight_decay=0
        )

    # --- training

    def _fit_phase(
        self,
        loss: SimilarityLoss | DenoisingLoss,
        similarity: SimilarityLoss | DenoisingLoss,
    ) -> None:
        """Take the steps of one phase until it is finished."""
        phase = self.phases[self.phase]
        if not self.history or self.history[-1]["recipe"] != phase.recipe:
            self._append_entry(loss=None, lr=None, seconds=0.0)
        title = f'Learning "{self.word.word}" ({phase.recipe})'
        with tqdm(
            total=phase.steps,
            initial=self.step,
            desc=title,
            disable=not self.progress,
        ) as bar:
            if self._is_due() and self.history[-1]["evaluation"] is None:
                self._complete_entry(loss, similarity)
            while not self._is_finished():
                self._take_step(loss)
                entry = self._complete_entry(loss, similarity)
                bar.set_postfix(loss=f"{entry['loss']:.3f}", refresh=False)
                bar.update()
            fill_bar(bar)

    def _take_step(self, loss: SimilarityLoss | DenoisingLoss) -> None:
        """Take one step, or, if it is interrupted, none at all."""
        began = time.perf_counter()
        phase = self.phases[self.phase]
        before = self.generator.get_state()
        try:
            value = with_less_memory(
                loss, lambda: self._compute_gradient(loss, before)
            )
            value = average_gradients(
                self.word.tensors,
                value,
                must_stop=bool(self.pressed),
                device=self.models.device,
            )
            check_finite(value, phase.lr)
        except BaseException:  # Ctrl-C too
            self.generator.set_state(before)
            raise
        lr = get_lr(phase, self.step)
        with delay_interrupt():
            self._update_vectors(lr)
            self.step += 1
            seconds = time.perf_counter() - began
            self._append_entry(loss=value.item(), lr=lr, seconds=seconds)

    def _compute_gradient(
        self, loss: SimilarityLoss | DenoisingLoss, state: Tensor
    ) -> Float[Tensor, ""]:
        """Compute the loss of a fresh batch, and the vectors' gradient.

        `state` is the generator's at the beginning of the step.
        """
        self.generator.set_state(state)
        self.optimizer.zero_grad()
        values = []
        for part in loss.compute_parts(self.generator):
            check_gradient(part)
            (part * LOSS_SCALE).backward()
            values.append(part.detach())
        return torch.stack(values).sum().cpu()

    def _update_vectors(self, lr: float) -> None:
        """Move the vectors against their gradient (Adam).

        One longer than `max_norm` is shortened to it: too long a vector
        drowns the rest of the prompt. Raises WordError if the first steps do
        not move them.
        """
        tensors, phase = self.word.tensors, self.phases[self.phase]
        gradients = []
        for vectors in tensors:
            if vectors.grad is None:
                raise WordError(explain_stall(vectors, phase))
            vectors.grad /= LOSS_SCALE
            gradients.append(vectors.grad)
        before = [vectors.detach().clone() for vectors in tensors]
        self.optimizer.param_groups[0]["lr"] = lr
        # float16 may overflow
        if all(torch.isfinite(gradient).all() for gradient in gradients):
            self.optimizer.step()
        self.stalls.watch(before, tensors, phase)
        limit_norms(tensors, self.max_norms)

    def _is_finished(self) -> bool:
        """Return whether the phase has had its steps or gains nothing."""
        phase = self.phases[self.phase]
        _, evaluations = self.history.curve("evaluation", phase.recipe)
        return self.step >= phase.steps or should_stop_early(
            evaluations, self.config.patience, self.config.min_delta
        )

    def _restore_best(self) -> None:
        """Go back to the vectors with the best evaluation of this phase."""
        recipe = self.phases[self.phase].recipe
        evaluated = [
            entry
            for entry in self.history
            if entry["recipe"] == recipe and entry["evaluation"] is not None
        ]
        best = min(evaluated, key=lambda entry: entry["evaluation"])
        if best is not evaluated[-1]:
            self.word.restore_vectors(best)
            now = {key: self.history[-1][key] for key in ("step", "seconds")}
            self.history.append({**best, **now})

    # --- the history

    def _is_due(self) -> bool:
        """Return whether the step that was taken last is evaluated."""
        last = self.phases[self.phase].steps
        return self.step % self.config.evaluate_every == 0 or self.step == last

    def _append_entry(
        self, loss: float | None, lr: float | None, seconds: float
    ) -> None:
        """Add the entry of a step, or of the start of a phase."""
        before = {"step": 0, "seconds": 0.0}
        if self.history:
            before = self.history[-1]
        vectors = self.word.vectors.detach()
        self.history.append(
            {
                "step": before["step"] + (loss is not None),
                "recipe": self.phases[self.phase].recipe,
                "loss": loss,
                "lr": lr,
                "evaluation": None,
                "similarity": None,
                "norm": vectors.norm(dim=1).mean().item(),
                "seconds": before["seconds"] + seconds,
                "vectors": None,
            }
        )
        if self.step in EARLY_STEPS:
            self.history[-1].update(self.word.copy_vectors())

    def _complete_entry(
        self,
        loss: SimilarityLoss | DenoisingLoss,
        similarity: SimilarityLoss | DenoisingLoss,
    ) -> Entry:
        """Evaluate where it is due, then hand the last entry to callbacks."""
        entry = self.history[-1]
        if self._is_due():
            evaluation = average_number(loss.evaluate(), self.models.device)
            entry["similarity"] = 1 - similarity.evaluate()
            entry.update(self.word.copy_vectors())
            entry["evaluation"] = evaluation  # last: it marks the entry done
        for callback in self.callbacks if is_main_process() else ():
            callback(entry)
        return entry


def fill_bar(bar: tqdm) -> None:
    """Show a bar as full: it may have stopped before its last step."""
    bar.total = bar.n
    if hasattr(bar, "container"):  # in a notebook: the widget has a copy
        bar.container.children[1].max = bar.n
    bar.refresh()
