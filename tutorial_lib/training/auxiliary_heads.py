"""What CLIP is asked, while it is trained, beside which caption fits."""

import open_clip
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

FEATURE_SCALE = 10.0  # unit vectors are small for a linear head
LABEL_WEIGHT = 3.0
DETAIL_WEIGHT = 3.0

Features = Float[Tensor, "batch width"]
LabelTargets = dict[str, Int[Tensor, " batch"]]
DetailTargets = dict[str, Float[Tensor, "batch numbers"]]


class CLIPWithHeads(nn.Module):
    """CLIP with auxiliary heads, which are dropped when training is over.

    The label heads classify an embedding, of an image or of a caption, by
    each attribute: "stars", "hearts", ... The detail heads predict the
    numbers of a concept from it, if the caption names one: the exact shades,
    the angle, how wide a face is. A drawn world makes it easy to have all
    these answers; the real CLIP has captions alone, and needs hundreds of
    millions of them.
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

    def compute_auxiliary_loss(
        self, features: Features, labels: LabelTargets, details: DetailTargets
    ) -> Float[Tensor, ""]:
        """Return the weighted sum of the losses of all heads."""
        label_loss = self.compute_label_loss(features, labels)
        detail_loss = self.compute_detail_loss(features, details)
        return LABEL_WEIGHT * label_loss + DETAIL_WEIGHT * detail_loss

    def compute_label_loss(
        self, features: Features, targets: LabelTargets
    ) -> Float[Tensor, ""]:
        """Return the mean cross entropy of all attributes' labels."""
        losses = [
            functional.cross_entropy(
                head(FEATURE_SCALE * features).float(), targets[name]
            )
            for name, head in self.label_heads.items()
        ]
        return torch.stack(losses).nanmean()

    def compute_detail_loss(
        self, features: Features, targets: DetailTargets
    ) -> Float[Tensor, ""]:
        """Return the mean squared error of the numbers that are known."""
        losses = []
        for kind, head in self.detail_heads.items():
            known = ~targets[kind].isnan().any(dim=1)
            predicted = head(FEATURE_SCALE * features[known]).float()
            losses.append(functional.mse_loss(predicted, targets[kind][known]))
        return torch.stack(losses).nanmean()
