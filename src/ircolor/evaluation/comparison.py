"""One comparison: the reference rows, models and predictions on one split of one protocol."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from ircolor.errors import UserError, brief
from ircolor.evaluation.models import distinct_name, model_rows
from ircolor.evaluation.predictions import predictions_row
from ircolor.evaluation.references import CUBIC_CURVE, INFRARED_COPY, fit_cubic_curve, infrared_copy
from ircolor.evaluation.score import Row, RowScores, Scores, Track, TrustRow, score_pairs, track_silently
from ircolor.evaluation.trust import TrustScores
from ircolor.metrics import load_skimage, usable_pixels
from ircolor.pairs.index import Pair, check_pairs, find_pairs
from ircolor.pairs.protocols import default_protocol, split_pairs


@dataclass(frozen=True)
class Comparison:
    """What was compared, on what, and the result.

    Attributes:
        rows: by name, references first, then models and predictions in the order given.
        scores: of each row.
        pairs: the pairs of the split, in order.
        protocol: its name, as chosen or as the folder's default.
        split: e.g. "test".
        notes: sentences that the reader of the numbers should know.
    """

    rows: Mapping[str, Row]
    scores: Mapping[str, RowScores]
    pairs: Sequence[Pair]
    protocol: str
    split: str
    notes: Sequence[str] = ()

    @property
    def first_model(self) -> str:
        """Name of the first row that is no reference."""
        return next(name for name in self.rows if name not in (INFRARED_COPY, CUBIC_CURVE))

    @property
    def title(self) -> str:
        """What the numbers are of, e.g. "protocol nirscene, split test: means over 42 images"."""
        return f"protocol {self.protocol}, split {self.split}: means over {len(self.pairs)} images"

    def to_json(self) -> str:
        """Strict JSON; a score that is not defined is null."""
        models = {
            name: {
                "mean": defined(scores.mean),
                "images": {stem: defined(image) for stem, image in scores.images.items()},
                **({"trust": defined(asdict(scores.trust))} if scores.trust else {}),
            }
            for name, scores in self.scores.items()
        }
        content = {
            "models": models,
            "protocol": self.protocol,
            "split": self.split,
            "num_images": len(self.pairs),
        }
        return json.dumps(content, indent=1, allow_nan=False) + "\n"


def compare(
    models: Sequence[str],
    data: Path,
    protocol: str | None = None,
    split: str = "test",
    predictions: Path | None = None,
    track: Track = track_silently,
) -> Comparison:
    """Score models, a folder of predictions, or both, beside the references that need no training.

    All input is checked before the first image is scored. The cubic curve is fitted on the training split of
    the protocol.

    Args:
        models: names or `.onnx` files.
        data: folder of pairs.
        protocol: name of a protocol; None takes the folder's own splits.
        split: which split to score.
        predictions: folder of predicted images, see `predictions_row`.
        track: shows the progress.

    Raises:
        UserError: nothing to score, an unknown model, protocol or split, pairs or predictions that cannot be
            used, or scikit-image is missing.
    """
    if not models and predictions is None:
        raise UserError("nothing to score; name a model (see: ircolor models), or a folder with --predictions")
    load_skimage("metrics")
    protocol = protocol or default_protocol(find_pairs(data))
    pairs = pairs_to_score(data, protocol, split)
    rows = model_rows(models, taken=(INFRARED_COPY, CUBIC_CURVE))
    if predictions is not None:
        name = distinct_name(predictions.resolve().name, str(predictions), {INFRARED_COPY, CUBIC_CURVE, *rows})
        rows[name] = predictions_row(predictions, pairs, track)
    references, notes = reference_rows(data, protocol, track)
    rows = references | rows
    scores = score_pairs(rows, pairs, track)
    notes += [trust_note(name, scores[name].trust) for name, row in rows.items() if isinstance(row, TrustRow)]
    notes += mask_notes(pairs, scores[INFRARED_COPY].images)
    return Comparison(rows, scores, pairs, protocol, split, notes)


def mask_notes(pairs: Sequence[Pair], images: Mapping[str, Scores]) -> list[str]:
    """What to tell people of the pixels that masks leave out, given the scores of any row; nothing without masks."""
    num_masked = sum(pair.mask is not None for pair in pairs)
    if not num_masked:
        return []
    share = mean(scores["masked_share"] for scores in images.values())
    return [
        f"Masks of {num_masked} of {len(pairs)} images leave out {100 * share:.1f} % of the pixels; cosine paper "
        "alone is of all. These scores compare with none that were taken without the masks."
    ]


def trust_note(name: str, trust: TrustScores | None) -> str:
    """What to tell people of a model's expected error."""
    if trust is None:
        return f"Trust of {name}: not scored, as no two pixels differ both in expected and in true error."
    return (
        f"Trust of {name}: Spearman correlation of expected and true CIEDE2000 {trust.spearman:.2f}; the half trusted "
        f"most has {trust.trusted_half:.2f} times the error of all; off by {trust.worst_miscalibration:.0%} at most."
    )


def pairs_to_score(data: Path, protocol: str, split: str) -> list[Pair]:
    """The pairs of a split, each of which can be named by its stem.

    Raises:
        UserError: an unknown protocol or split, no pairs, or two of one stem.
    """
    pairs = split_pairs(data, protocol, split)
    counts = Counter(pair.stem for pair in pairs)
    twice = [f"{stem}: {count} pairs of this stem" for stem, count in counts.items() if count > 1]
    if twice:
        raise UserError(f"{data}: stems are not unique; name the pairs apart in column stem: {', '.join(twice)}")
    return pairs


def reference_rows(data: Path, protocol: str, track: Track) -> tuple[dict[str, Row], list[str]]:
    """The rows that stand in every comparison, and notes on those that cannot.

    Raises:
        UserError: a training pair cannot be read.
    """
    references: dict[str, Row] = {INFRARED_COPY: infrared_copy}
    try:
        train_pairs = split_pairs(data, protocol, "train")
    except UserError as error:  # where the split to score was found, the folder is sound: it has no training split
        return references, [f"No row {CUBIC_CURVE}, which is fitted on training pairs: {brief(error)}"]
    training_images = track(check_pairs(train_pairs), "fitting the cubic curve", total=len(train_pairs))
    references[CUBIC_CURVE] = fit_cubic_curve(
        (usable_pixels(infrared, mask), usable_pixels(rgb, mask)) for infrared, rgb, mask in training_images
    )
    return references, []


def defined(content: Any) -> Any:
    """JSON with None for what is not defined: NaN or infinite, at any depth."""
    if isinstance(content, Mapping):
        return {key: defined(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [defined(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
