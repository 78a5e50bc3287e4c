"""What a training minimises: the terms of its loss, from what a network gave and what is true.

A colour loss on RGB, or on classes of chroma for a network that classifies; beside it what learned losses say: EdgeNet,
an adversary, features of networks that were trained before.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from ircolor.baselines.discriminators import DcganDiscriminator, PatchDiscriminator
from ircolor.baselines.zhang import CELL_PX, ChromaClasses, class_weights, spread_over_bins
from ircolor.nets import NETS, ColorizingNet
from ircolor.nets.lab import rgb_to_lab
from ircolor.pairs.dataset import LoadedPairs
from ircolor.training.color_loss import color_terms
from ircolor.training.hints import Encoded, Hints
from ircolor.training.losses import difference_edge_loss, feature_error, mean_of_usable
from ircolor.training.networks import as_trained
from ircolor.training.recipe import Recipe
from ircolor.training.speed import Work, training_gflop_of

LIGHTNESS_WEIGHT = 10.0  # brings lightness errors, squares of some tenths, to the size of a cross-entropy

Batch = Mapping[str, Tensor]


def learned_losses(recipe: Recipe) -> dict[str, nn.Module]:
    """The networks that are trained beside the one that colorizes, by name."""
    learned: dict[str, nn.Module] = {}
    if recipe.edge_net:
        learned["edge_net"] = NETS["edgenet"](recipe.edge_net.width, recipe.edge_net.variant)
    if recipe.adversary:
        kinds = {"patch": PatchDiscriminator, "dcgan": DcganDiscriminator}
        learned["adversary"] = kinds[recipe.adversary.kind](recipe.adversary.width)
    if recipe.hints:
        learned["hints"] = Hints(recipe.width)
    return learned


class Objective:
    """The terms of a recipe's loss.

    Args:
        recipe: which terms, and their weights.
        learned: `learned_losses`, on the device, ready to be trained.
        autocast: the arithmetic that learned losses are run in, where they are not run as they are trained.
        features: gives those of images for the perceptual loss, frozen; None where the recipe has none.
        chroma: bins and weights of classes, (bins, 2) and (bins,); None where the network does not classify.
        hints: gives what features should tell of infrared images, frozen; None where the recipe has none.
    """

    def __init__(
        self,
        recipe: Recipe,
        learned: Mapping[str, nn.Module],
        autocast: Callable[[], AbstractContextManager[object]],
        features: nn.Module | None = None,
        chroma: tuple[Tensor, Tensor] | None = None,
        hints: nn.Module | None = None,
    ) -> None:
        self.recipe = recipe
        self.learned = learned
        self.autocast = autocast
        self.features = features
        self.chroma = chroma
        self.hints = hints

    def work(self, net: ColorizingNet, total_steps: int) -> Work:
        """The work of a run: of the network that colorizes and of those in the loss (`training_gflop_of`)."""
        crop_px = self.recipe.augmentation.crop_px
        hint_steps = self.recipe.num_hint_steps(total_steps)
        hinting = training_gflop_of(self.hints, 1, crop_px) if self.hints else 0.0
        gflop = hinting + training_gflop_of(net, 1, crop_px)
        if self.recipe.edge_net:
            gflop += training_gflop_of(_unwrapped(self.learned["edge_net"]), 3, crop_px)
        if self.recipe.adversary:  # sees the true crop, and the predicted one twice
            gflop += 3 * training_gflop_of(_unwrapped(self.learned["adversary"]), 4, crop_px)
        if self.features:  # forward for the truth, and there and back to the pixels for the prediction
            gflop += 3 * training_gflop_of(self.features, 3, crop_px)
        encoding = training_gflop_of(as_trained(net, self.recipe), 1, crop_px, colorize=False) if hint_steps else 0.0
        return Work(hinting + encoding, gflop, hint_steps, total_steps)

    def __call__(self, output: Tensor | ChromaClasses | Encoded, batch: Batch, progress: float) -> dict[str, Tensor]:
        """The terms by name, weighted; their sum is to be minimised.

        Args:
            output: what the network gave to `batch["infrared"]`: RGB, (B, 3, H, W) in [-1, 1], with its features where
                the recipe has hints, or these alone; or classes of chroma.
            batch: items of `PairDataset`.
            progress: of the training, from 0 to 1.
        """
        true_rgb, mask = batch["true_rgb"], batch.get("mask")
        if isinstance(output, ChromaClasses):
            assert self.chroma
            return class_terms(output, true_rgb, mask, *self.chroma)
        terms: dict[str, Tensor] = {}
        if isinstance(output, Encoded):
            terms["hint_loss"] = self.recipe.hints * self._hint_error(output.features, batch["infrared"])
            if output.rgb is None:
                return terms
            output = output.rgb
        pred_rgb = output.float()
        terms |= color_terms(pred_rgb, true_rgb, mask, self.recipe.color_loss)
        if self.recipe.edge_net:
            form = self.recipe.edge_net
            terms["edge_loss"] = difference_edge_loss(
                self.learned["edge_net"],
                pred_rgb,
                true_rgb,
                batch["true_edges"],
                mask,
                shown=form.shown,
                scales=form.scales,
                pull=form.pull_at(progress),
            )
        if self.recipe.adversary:
            terms |= self._adversarial_terms(pred_rgb, batch, self.recipe.adversary.weight)
        if self.recipe.perceptual:
            error = self._feature_error(pred_rgb, true_rgb, mask)
            terms["perceptual_loss"] = self.recipe.perceptual.weight * error
        return terms

    def _hint_error(self, features: Sequence[Tensor], infrared: Tensor) -> Tensor:
        """How badly features of a network tell those that give hints."""
        assert self.hints
        with self.autocast():
            guesses, hints = self.learned["hints"](features), self.hints(infrared)
        return feature_error(guesses, hints)

    def _feature_error(self, pred_rgb: Tensor, true_rgb: Tensor, mask: Tensor | None) -> Tensor:
        """How far features of the prediction are from those of the truth, where a mask lets them count.

        Over their mean square: features differ in size from network to network, and from scale to scale. Pixels that
        the mask leaves out are made equal; as no error comes from there, what there is counts for the usable ones.
        """
        assert self.features
        share: Tensor | float = 1.0
        if mask is not None:
            unknown = pred_rgb.detach()
            share = mask.float().mean().clamp(min=1 / mask.numel())
            pred_rgb, true_rgb = (torch.where(mask, rgb, unknown) for rgb in (pred_rgb, true_rgb))
        with self.autocast():
            return feature_error(self.features(pred_rgb), self.features(true_rgb)) / share

    def _adversarial_terms(self, pred_rgb: Tensor, batch: Batch, weight: float) -> dict[str, Tensor]:
        """What the adversary is blamed for, and what the prediction is, each with the other held fixed.

        Pixels that a mask leaves out are zero on both sides.
        """
        adversary, mask = self.learned["adversary"], batch.get("mask")

        def shown(rgb: Tensor) -> Tensor:
            images = torch.cat([batch["infrared"], rgb], dim=1)
            return images if mask is None else images * mask

        on_true, on_pred = (adversary(shown(rgb)).float() for rgb in (batch["true_rgb"], pred_rgb.detach()))
        blame = F.softplus(-on_true).mean() + F.softplus(on_pred).mean()
        # Its weights without their gradient, and a copy of its statistics, which a run changes.
        inner = _unwrapped(adversary)
        frozen = {name: weights.detach() for name, weights in inner.named_parameters()}
        frozen |= {name: statistics.clone() for name, statistics in inner.named_buffers()}
        with self.autocast():
            passed = functional_call(inner, frozen, (shown(pred_rgb),)).float()
        return {"adversary_loss": 0.5 * blame, "adversarial_loss": weight * F.softplus(-passed).mean()}


def class_terms(
    classes: ChromaClasses, true_rgb: Tensor, mask: Tensor | None, bins: Tensor, weights: Tensor
) -> dict[str, Tensor]:
    """Weighted cross-entropy of chroma (equation 2 of Zhang et al. 2016) and squared error of lightness.

    Args:
        classes: of the network.
        true_rgb: (B, 3, H, W) in [-1, 1].
        mask: usable pixels, (B, 1, H, W); None for all.
        bins: (bins, 2).
        weights: how much each bin counts, (bins,).
    """
    true_lab = rgb_to_lab((true_rgb + 1) / 2)
    chroma = F.avg_pool2d(true_lab[:, 1:], CELL_PX)  # (B, 2, H/4, W/4)
    shares = spread_over_bins(chroma.permute(0, 2, 3, 1).reshape(-1, 2), bins)
    counts = weights[shares.argmax(dim=1)]
    log_shares = F.log_softmax(classes.logits.float(), dim=1).permute(0, 2, 3, 1).reshape(-1, len(bins))
    entropy = -(shares * log_shares).sum(dim=1) * counts
    cells = None if mask is None else F.max_pool2d((~mask).float(), CELL_PX) == 0
    terms = {"class_loss": mean_of_usable(entropy.reshape(chroma[:, 0].shape), cells)}
    if classes.lightness is not None:
        error = (classes.lightness.float() - true_lab[:, :1] / 100).square()[:, 0]
        terms["lightness_loss"] = LIGHTNESS_WEIGHT * mean_of_usable(error, mask)
    return terms


def chroma_weights(pairs: LoadedPairs, bins: Tensor) -> Tensor:
    """Weights of the classes from how often the training pairs have them; every eighth pixel a side is counted."""
    counts = torch.zeros(len(bins), dtype=torch.float64)
    for number in range(len(pairs)):
        _, rgb, _ = pairs[number]
        pixels = torch.from_numpy(rgb[::8, ::8].copy()).double().permute(2, 0, 1)[None] / 255
        chroma = rgb_to_lab(pixels)[0, 1:].flatten(1).T.float()
        counts += torch.bincount(torch.cdist(chroma, bins).argmin(dim=1), minlength=len(bins))
    return class_weights((counts / counts.sum()).float(), bins)


def _unwrapped(module: nn.Module) -> nn.Module:
    """A module without what training in several processes put about it."""
    inner = getattr(module, "module", module)
    assert isinstance(inner, nn.Module)
    return inner
