"""What CLIP is asked, while it is trained, beside which caption fits."""

import open_clip
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from tutorial_lib.training.judge_images import NO_LABEL
from tutorial_lib.training.processes import average_over_processes

FEATURE_SCALE = 10.0  # unit vectors are small for a linear head

Features = Float[Tensor, "batch width"]
DetailTargets = dict[str, Float[Tensor, "batch numbers"]]


class CLIPWithHeads(nn.Module):
    """CLIP with auxiliary heads, which are dropped when training is over.

    The label heads classify an embedding, of an image or of a caption, by
    each attribute: "stars", "hearts", ..., on a person's shirt as well. The
    detail heads predict the numbers of a concept from it, if the caption
    names one: the exact shades, the angle, how wide a face is. A drawn world
    makes it easy to have all these answers; the real CLIP has captions
    alone, and needs hundreds of millions of them.
    """

    def __init__(
        self,
        clip: open_clip.CLIP,
        labels: dict[str, list[str]],
        num_details: dict[str, int],
    ) -> None:
        super().__init__()
        self.clip = clip
        width = clip.text_projection.shape[1]
        self.label_heads = nn.ModuleDict(
            {
                name: nn.Linear(width, len(known))
                for name, known in labels.items()
            }
        )
        self.detail_heads = nn.ModuleDict(
            {
                kind: nn.Linear(width, count)
                for kind, count in num_details.items()
            }
        )

    def compute_label_loss(
        self,
        features: Features,
        labels: Int[Tensor, "batch num_attributes"],
    ) -> Float[Tensor, ""]:
        """Return the mean cross entropy of all attributes' labels."""
        columns = labels.T
        sums = [
            functional.cross_entropy(
                head(FEATURE_SCALE * features).float(),
                column,
                ignore_index=NO_LABEL,
                reduction="sum",
            )
            for head, column in zip(
                self.label_heads.values(), columns, strict=True
            )
        ]
        counts = (columns != NO_LABEL).sum(1)
        return average_over_processes(torch.stack(sums), counts)

    def compute_detail_loss(
        self, features: Features, targets: DetailTargets
    ) -> Float[Tensor, ""]:
        """Return the mean squared error of the numbers that are known."""
        sums, counts = [], []
        for kind, head in self.detail_heads.items():
            known = ~targets[kind].isnan().any(dim=1)
            predicted = head(FEATURE_SCALE * features[known]).float()
            errors = (predicted - targets[kind][known]).square()
            sums.append(errors.mean(1).sum())
            counts.append(known.sum())
        return average_over_processes(torch.stack(sums), torch.stack(counts))
