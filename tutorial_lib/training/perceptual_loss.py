"""A perceptual loss: images are compared as CLIP's first layers see them.

A pixelwise loss makes every doubtful edge soft, for soft is the mean of all
places where it may be. Features of a trained network tell a sharp edge that
is half a pixel off from a blurred one (Zhang et al. 2018, The Unreasonable
Effectiveness of Deep Features as a Perceptual Metric).
"""

import open_clip
import torch
from jaxtyping import Float
from torch import Tensor, nn

EPSILON = 1e-6

Images = Float[Tensor, "batch 3 height width"]
FeatureMaps = list[Float[Tensor, "batch channels height width"]]


class PerceptualLoss(nn.Module):
    """The distance of two images in the first layers of CLIP's image encoder.

    The features of each layer are scaled to length one in every place, as in
    LPIPS; all layers count alike. CLIP is no judge, and stays as it is.
    """

    def __init__(self, clip: open_clip.CLIP) -> None:
        super().__init__()
        visual = clip.visual
        self.stages = nn.ModuleList(
            [
                nn.Sequential(visual.conv1, visual.bn1, visual.act1),
                nn.Sequential(
                    visual.conv2,
                    visual.bn2,
                    visual.act2,
                    visual.conv3,
                    visual.bn3,
                    visual.act3,
                ),
                nn.Sequential(visual.avgpool, visual.layer1),
                visual.layer2,
            ]
        )
        self.eval().requires_grad_(False)

    def extract(self, images: Images) -> FeatureMaps:
        """Return the features of each layer, of length one in every place."""
        features = images
        maps = []
        for stage in self.stages:
            features = stage(features)
            length = features.float().square().sum(1, keepdim=True)
            maps.append(features / (length + EPSILON).sqrt())
        return maps

    def forward(self, decoded: Images, images: Images) -> Float[Tensor, ""]:
        """Return the mean squared distance, summed over channels, averaged."""
        with torch.no_grad():
            wanted = self.extract(images)
        distances = [
            (mine.float() - theirs.float()).square().sum(1).mean()
            for mine, theirs in zip(self.extract(decoded), wanted, strict=True)
        ]
        return torch.stack(distances).mean()
