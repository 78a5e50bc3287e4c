"""Networks whose features a perceptual loss compares (Johnson et al. 2016): VGG-16, EfficientNet-Lite0, or our own.

VGG-16 (Simonyan and Zisserman 2015) was trained on a million photographs, which are not part of this project. Without
its file, an encoder learns to tell the infrared image from the true colours, on the training pairs: it gets features of
colour images, if poorer ones. EfficientNet-Lite0, trained on the same photographs, comes with a package, as for
`LiteUNet`. Which of them it was stands in `run.json` and on the card.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from ircolor.errors import UserError, brief
from ircolor.nets.efficientnet import WITH_WEIGHTS
from ircolor.pairs.dataset import LoadedPairs, PairDataset, VisitSampler
from ircolor.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from ircolor.training.photo_features import PhotoFeatures
from ircolor.training.recipe import PerceptualConfig, Recipe
from ircolor.training.run_folder import RunFolder

# As torchvision names its weights: features.N, N the place of each convolution; up to relu1_2, relu2_2 and relu3_3.
VGG_BLOCKS = ((0, 2), (5, 7), (10, 12, 14))
VGG_CHANNELS = (64, 128, 256)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
COMPARED_SCALES = slice(1, 4)  # EfficientNet's features at a 4th to a 16th of the size
OWN_WIDTH, OWN_BATCH, OWN_LEARNING_RATE = 32, 8, 1e-3


class Encoder(nn.Module):
    """Blocks of 3x3 convolutions with ReLU, each but the first at half the size of the one before.

    Args:
        channels: of each block.
        num_layers: of each block.
        mean: of the three colours on [0, 1], which is subtracted.
        std: by which they are divided.
    """

    def __init__(
        self, channels: Sequence[int], num_layers: Sequence[int], mean: Sequence[float], std: Sequence[float]
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).reshape(1, 3, 1, 1))
        self.blocks = nn.ModuleList()
        in_channels = 3
        for out_channels, layers in zip(channels, num_layers, strict=True):
            block: list[nn.Module] = []
            for _ in range(layers):
                block += [nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU()]
                in_channels = out_channels
            self.blocks.append(nn.Sequential(*block))

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Features after each block of an image, (B, 3, H, W) in [-1, 1]."""
        features = ((rgb + 1) / 2 - self.get_buffer("mean")) / self.get_buffer("std")
        found: list[Tensor] = []
        for block in self.blocks:
            features = block(F.max_pool2d(features, 2) if found else features)
            found.append(features)
        return found


def loss_network_name(config: PerceptualConfig, file: Path | None) -> str:
    """What people are told of it, other weights by another name.

    Raises:
        UserError: the file cannot be read.
    """
    if config.network == "efficientnet":
        return WITH_WEIGHTS
    if file is None:
        return "an encoder of its own"
    try:
        with file.open("rb") as weights:
            return f"VGG-16 {hashlib.file_digest(weights, 'sha256').hexdigest()[:8]}"
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({brief(error)}); give a file of VGG-16") from error


def loss_features(
    recipe: Recipe,
    pairs: LoadedPairs,
    folder: RunFolder,
    file: Path | None,
    device: torch.device,
    console: Console,
) -> Encoder | PhotoFeatures:
    """The network that a run's perceptual loss looks through: a published one, or our own, which is trained once a run.

    Args:
        recipe: of the run.
        pairs: that it trains on.
        folder: where our own is kept.
        file: of VGG-16, or None.
        device: where it is to be.
        console: where progress is shown.

    Raises:
        UserError: the file is of no use, or the weights are not installed.
    """
    assert recipe.perceptual
    if recipe.perceptual.network == "efficientnet":
        return PhotoFeatures(3, COMPARED_SCALES, device)
    if file:
        return load_vgg16(file).to(device)
    if folder.loss_network.exists():
        encoder = own_encoder()
        load_checkpoint(folder.loss_network).load_into("encoder", encoder)
        return encoder.to(device).eval().requires_grad_(False)
    encoder = train_own_encoder(recipe, pairs, device, console)
    save_checkpoint(folder.loss_network, recipe.to_json(), {}, Progress(), {"encoder": encoder})
    return encoder


def load_vgg16(file: Path) -> Encoder:
    """The first three blocks of VGG-16.

    Args:
        file: safetensors, with the names that torchvision gives: `features.0.weight` and so on.

    Raises:
        UserError: missing, damaged, or of another network.
    """
    encoder = Encoder(VGG_CHANNELS, [len(block) for block in VGG_BLOCKS], IMAGENET_MEAN, IMAGENET_STD)
    try:
        tensors = load_file(file)
        for block, numbers in zip(encoder.blocks, VGG_BLOCKS, strict=True):
            assert isinstance(block, nn.Sequential)
            convolutions = [layer for layer in block if isinstance(layer, nn.Conv2d)]
            for layer, number in zip(convolutions, numbers, strict=True):
                layer.load_state_dict({part: tensors[f"features.{number}.{part}"] for part in ("weight", "bias")})
    except (OSError, SafetensorError) as error:
        raise UserError(f"{file}: cannot be read as safetensors ({brief(error)}); give a file of VGG-16") from error
    except (KeyError, RuntimeError) as error:
        raise UserError(
            f"{file}: holds no VGG-16 as torchvision names its weights ({brief(error)}); convert it so"
        ) from error
    return encoder.eval().requires_grad_(False)


def own_encoder() -> Encoder:
    """An untrained one of our own."""
    return Encoder((OWN_WIDTH, 2 * OWN_WIDTH, 4 * OWN_WIDTH), (2, 2, 2), (0.5,) * 3, (0.25,) * 3)


def train_own_encoder(recipe: Recipe, pairs: LoadedPairs, device: torch.device, console: Console) -> Encoder:
    """Let an encoder learn to tell the infrared image from the colours, at a quarter of the crop's size.

    Args:
        recipe: how crops are drawn, the seed, and for how many steps (`PerceptualConfig`).
        pairs: to learn from.
        device: where.
        console: where progress is shown.
    """
    assert recipe.perceptual
    torch.manual_seed(recipe.seed)
    encoder = own_encoder().to(device)
    head = nn.Conv2d(4 * OWN_WIDTH, 1, 1).to(device)
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], OWN_LEARNING_RATE)
    dataset = PairDataset(pairs, recipe.augmentation, None, recipe.seed)
    visits = VisitSampler(len(dataset), OWN_BATCH, recipe.seed, 0, recipe.perceptual.steps)
    for batch in track(visits, "a network for the perceptual loss", console=console):
        items = [dataset[visit] for visit in batch]
        infrared, true_rgb = (torch.stack([item[key] for item in items]).to(device) for key in ("infrared", "true_rgb"))
        predicted = head(encoder(true_rgb)[-1])
        F.mse_loss(predicted, F.avg_pool2d(infrared, 4)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
    return encoder.eval().requires_grad_(False)
