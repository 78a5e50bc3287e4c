"""Several systems on one split, each with how sure its numbers are: what `ircolor compare` reports."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from ircolor.errors import UserError
from ircolor.evaluation.anatomy import Anatomy
from ircolor.evaluation.comparison import defined, mask_notes, pairs_to_score, reference_rows
from ircolor.evaluation.models import model_rows
from ircolor.evaluation.partial_psnr import aligned_psnr_db, gray_psnr_db, shift_tolerant_psnr_db
from ircolor.evaluation.predictions import predictions_row
from ircolor.evaluation.references import CUBIC_CURVE, INFRARED_COPY, TRUE_CHROMA, true_chroma_on_infrared
from ircolor.evaluation.score import (
    PSNR_CEILING_DB,
    Image,
    Row,
    Scores,
    Track,
    image_values,
    mean_scores,
    score_image,
    score_pairs,
    track_silently,
)
from ircolor.evaluation.statistics import Difference, paired_difference, standard_error
from ircolor.metrics import Mask, load_skimage, usable_pixels
from ircolor.pairs.index import Pair, find_pairs
from ircolor.pairs.protocols import default_protocol
from ircolor.weights.card import Card
from ircolor.weights.catalogue import find_model

TRUTH = "truth"


@dataclass(frozen=True)
class System:
    """One row of the comparison.

    Attributes:
        name: of it.
        row: its colours; of several trainings those of the first.
        images: for each stem the scores, averaged over its trainings.
        mean: over the images.
        seeds: the means of each training; one where there are no several.
        anatomy: of the first training.
        cards: of the models, one a training; none for what is no model.
        latency_ms: of the first model for one image, by size, e.g. "224x224"; empty where nobody measured.
        logs: of the trainings, where they are known.
    """

    name: str
    row: Row
    images: Mapping[str, Scores]
    mean: Scores
    seeds: Sequence[Scores]
    anatomy: Anatomy
    cards: Sequence[Card] = ()
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    logs: Sequence[Path] = ()


@dataclass(frozen=True)
class SystemsComparison:
    """All of them.

    Attributes:
        systems: by name, references first.
        pairs: of the split, in order.
        protocol: its name.
        split: e.g. "test".
        truth: what the true images are like.
        measure: name of the system that the others are compared with.
        notes: sentences that the reader of the numbers should know.
    """

    systems: Mapping[str, System]
    pairs: Sequence[Pair]
    protocol: str
    split: str
    truth: Anatomy
    measure: str
    notes: Sequence[str] = ()

    @property
    def title(self) -> str:
        """What the numbers are of."""
        return f"protocol {self.protocol}, split {self.split}: means over {len(self.pairs)} images"

    def values(self, name: str, key: str) -> list[float]:
        """A score of a system, an image each, in the order of the pairs; see `image_values`."""
        return image_values([self.systems[name].images[pair.stem] for pair in self.pairs], key)

    def difference(self, name: str, key: str) -> Difference:
        """A system's score minus that of the measure, image by image."""
        return paired_difference(self.values(name, key), self.values(self.measure, key), self._scenes)

    def standard_error(self, name: str, key: str) -> float:
        """Of a system's mean score, over the images."""
        return standard_error(self.values(name, key), self._scenes)

    @property
    def _scenes(self) -> list[str]:
        return [pair.scene for pair in self.pairs]

    def by_category(self, name: str) -> dict[str, Scores]:
        """Mean scores of a system for each category, see `category_of`."""
        images = self.systems[name].images
        categories = sorted({category_of(pair) for pair in self.pairs})
        return {
            category: mean_scores([images[pair.stem] for pair in self.pairs if category_of(pair) == category])
            for category in categories
        }

    def to_json(self) -> str:
        """Strict JSON; a number that is not defined is null."""
        systems = {
            name: {
                "mean": system.mean,
                "standard_error": {key: self.standard_error(name, key) for key in system.mean},
                f"minus_{self.measure}": {
                    key: vars(self.difference(name, key)) for key in system.mean if name != self.measure
                },
                "seeds": list(system.seeds),
                "categories": self.by_category(name),
                "rmse_by_distance_from_edges": system.anatomy.rmse_by_distance,
                "chroma_by_hue": system.anatomy.chroma_by_hue,
                **facts(system),
                "images": system.images,
            }
            for name, system in self.systems.items()
        }
        content = {
            "protocol": self.protocol,
            "split": self.split,
            "num_images": len(self.pairs),
            "compared_with": self.measure,
            "systems": systems,
            "notes": list(self.notes),
        }
        return json.dumps(defined(content), indent=1, allow_nan=False) + "\n"


def facts(system: System) -> dict[str, Any]:
    """What is known of a system's models and their training; nothing of what is no model."""
    if not system.cards:
        return {}
    first = system.cards[0]
    return {
        "num_parameters": first.num_parameters,
        "gflop_224": first.gflop_224,
        "view_px": first.view_px,
        "latency_ms": dict(system.latency_ms),
        "epochs": [card.epochs for card in system.cards],
        "train_seconds": [card.train_seconds for card in system.cards],
    }


def category_of(pair: Pair) -> str:
    """Column `category` of a pair where there is one, else the letters that its scene begins with."""
    letters = re.match(r"[^\W\d_]+", pair.scene)
    return pair.columns.get("category") or (letters[0] if letters else "all")


def detailed_scores(pred_rgb: Image, true_rgb: Image, mask: Mask | None) -> dict[str, float]:
    """`score_image`, and PSNR that forgives one kind of error each; shifts only where no pixel is masked."""
    pred, true = (usable_pixels(rgb, mask) for rgb in (pred_rgb, true_rgb))
    forgiving = {
        "gray_psnr_db": gray_psnr_db(pred, true),
        "aligned_psnr_db": aligned_psnr_db(pred, true),
        "shift_tolerant_psnr_db": math.nan if mask is not None else shift_tolerant_psnr_db(pred, true),
    }
    return score_image(pred_rgb, true_rgb, mask) | {
        key: min(value, PSNR_CEILING_DB) for key, value in forgiving.items()
    }


def check_inputs(
    models: Sequence[str],
    data: Path,
    protocol: str | None,
    split: str,
    predictions: Mapping[str, Path],
    track: Track = track_silently,
) -> tuple[list[Pair], dict[str, Row]]:
    """The pairs to score and others' predictions for them, after checking all that can be wrong with them.

    Args:
        models: names of the systems that have models, be these trained already or not.
        data: as all further arguments of `compare_systems`.
        protocol: of it.
        split: of it.
        predictions: of it.
        track: of it.

    Raises:
        UserError: nothing to compare, a name that stands twice, pairs or predictions that cannot be used, or
            scikit-image is missing.
    """
    names = [*models, *predictions]
    if not names:
        raise UserError("nothing to compare; name systems, or folders of predictions")
    for name in names:
        if names.count(name) > 1 or name in (INFRARED_COPY, CUBIC_CURVE, TRUE_CHROMA, TRUTH):
            raise UserError(f"{name}: stands for another row already; call the predictions otherwise, as NAME=DIR")
    load_skimage("metrics")
    pairs = pairs_to_score(data, protocol or default_protocol(find_pairs(data)), split)
    return pairs, {name: predictions_row(folder, pairs, track) for name, folder in predictions.items()}


def compare_systems(
    models: Mapping[str, Sequence[Path | str]],
    data: Path,
    protocol: str | None = None,
    split: str = "test",
    *,
    predictions: Mapping[str, Path] | None = None,
    measure: str | None = None,
    latency_ms: Mapping[str, Mapping[str, float]] | None = None,
    logs: Mapping[str, Sequence[Path]] | None = None,
    track: Track = track_silently,
) -> SystemsComparison:
    """Score systems and references on the images of a split. All input is checked before the first is scored.

    Args:
        models: by the system's name, one `.onnx` file a training, or the name of a bundled model.
        data: folder of pairs.
        protocol: its name; None takes the folder's own splits.
        split: which to score.
        predictions: folders of others' images by name, see `predictions_row`.
        measure: the system that the others are compared with; the first if not given.
        latency_ms: of models, by the system's name; see `ircolor.benchmark.latency.latencies_ms`.
        logs: of the trainings, by the system's name.
        track: shows the progress.

    Raises:
        UserError: nothing to compare, a name that stands twice, an unknown measure, or pairs, models or predictions
            that cannot be used.
    """
    predictions = predictions or {}
    names = [*models, *predictions]
    measure = measure or next(iter(names), "")
    protocol = protocol or default_protocol(find_pairs(data))
    pairs, others = check_inputs(list(models), data, protocol, split, predictions, track)
    if measure not in names:
        raise UserError(f"{measure}: is not among the systems; there are: {', '.join(names)}")
    references, notes = reference_rows(data, protocol, track)
    # Rows of several trainings are told apart by a number.
    trainings: dict[str, list[str]] = {}
    rows: dict[str, Row] = references | {TRUE_CHROMA: true_chroma_on_infrared(pairs)}
    trainings |= {name: [name] for name in rows}
    for name, files in models.items():
        for number, file in enumerate(files):
            rows[_row_name(name, number)] = next(iter(model_rows([str(file)]).values()))
        trainings[name] = [_row_name(name, number) for number in range(len(files))]
    rows |= others
    trainings |= {name: [name] for name in others}
    truth = Anatomy()
    anatomies = {name: Anatomy() for name in rows}

    def watch(name: str, pred_rgb: Image, true_rgb: Image, mask: Mask | None) -> None:
        anatomies[name].add(pred_rgb, true_rgb, mask)
        if name == INFRARED_COPY:
            truth.add(true_rgb, true_rgb, mask)

    scores = score_pairs(rows, pairs, track, detailed_scores, watch)
    notes += mask_notes(pairs, scores[INFRARED_COPY].images)
    systems = {}
    for name, parts in trainings.items():
        images = _averaged([scores[part].images for part in parts])
        systems[name] = System(
            name,
            rows[parts[0]],
            images,
            mean_scores(list(images.values())),
            [scores[part].mean for part in parts],
            anatomies[parts[0]],
            [find_model(str(file)).card for file in models.get(name, ())],
            (latency_ms or {}).get(name, {}),
            (logs or {}).get(name, ()),
        )
    return SystemsComparison(systems, pairs, protocol, split, truth, measure, notes)


def _row_name(name: str, number: int) -> str:
    """Of one training of a system; nobody can call predictions so."""
    return f"{name}\0{number}"


def _averaged(trainings: Sequence[Mapping[str, Scores]]) -> dict[str, Scores]:
    """Scores of each image, averaged over trainings."""
    first = trainings[0]
    return {
        stem: {key: mean(images[stem][key] for images in trainings) for key in scores} for stem, scores in first.items()
    }
