"""How close a predicted colour image is to the true one: pure functions on two RGB arrays.

Every function takes (H, W, 3) RGB, uint8 or float in [0, 1]; the two may differ in type, never in shape
(`ValueError`). Nothing is resized, cropped or stretched, so two numbers are comparable only if they were
taken on the same images at the same size: downscaling hides errors, and raises PSNR and SSIM. A score that is
not defined for an image is NaN. CIELAB is that of D65 and the 2 degree observer, from sRGB.

PSNR and SSIM hardly see colour: a gray image with the right brightness does well on both. Read them beside
`chroma_gain` and `colorfulness_ratio`, where a gray image scores 0.

Where a mask forbids some of the pixels, most scores are taken of what `usable_pixels` leaves of both images, since they
look at one pixel at a time; `ssim` takes the mask itself, and `cosine_paper`, which compares whole rows, can have none.
Numbers with and without masks are not comparable.
"""

import importlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ircolor.errors import UserError

Image = NDArray[Any]
Mask = NDArray[np.bool_]

SSIM_WINDOW_PX = 11  # what scikit-image takes for gaussian weights of sigma 1.5
DARK = 1 / 255
ROUNDED_CHROMA = 0.02  # of a gray image: its CIELAB chroma is up to 0.006, as the white point is rounded


def usable_pixels(image: Image, mask: Mask | None) -> Image:
    """The pixels of an image that may be used, as an image of one row; the image itself where there is no mask.

    Args:
        image: (H, W) or (H, W, C).
        mask: (H, W) bool with at least one True, where a pixel may be used; None where all may.

    Returns:
        (1, N) or (1, N, C): the N pixels where the mask is True.
    """
    return image if mask is None else image[mask][None]


def psnr_db(pred_rgb: Image, true_rgb: Image) -> float:
    """Peak signal-to-noise ratio, 20 log10(1 / RMSE) over all pixels and channels; infinite if identical.

    Comparable with other per-image PSNR of RGB on the same images. A mean over images is the mean of the
    decibels, which is not the PSNR of the mean error; papers differ in this.
    """
    pred, true = _pair(pred_rgb, true_rgb)
    mean_square = float(np.mean((pred - true) ** 2))
    return float("inf") if mean_square == 0 else -10 * float(np.log10(mean_square))


def ssim(pred_rgb: Image, true_rgb: Image, mask: Mask | None = None) -> float:
    """Structural similarity in [-1, 1]: scikit-image, gaussian window of sigma 1.5, mean of the channels.

    An image smaller than the 11x11 window is mirrored at its lower and right edge up to that size. The mean is over
    the pixels whose whole window lies in the image and, with a mask (H, W) of usable pixels, holds none but these, so
    that no other pixel has a say; NaN where there is no such window.
    Comparable only with the same window, population covariance, data range 1 and channel mean; SSIM of luma
    alone, or with the 7x7 uniform window (scikit-image's default), is another number.

    Source: Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity".
    """
    pred, true = _pair(pred_rgb, true_rgb)
    missing = [(0, max(0, SSIM_WINDOW_PX - side)) for side in true.shape[:2]] + [(0, 0)]
    if any(after for _, after in missing):
        pred, true = np.pad(pred, missing, mode="symmetric"), np.pad(true, missing, mode="symmetric")
    similarity, similarity_map = load_skimage("metrics").structural_similarity(
        pred,
        true,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=2,
        full=True,
    )
    if mask is None:
        return float(similarity)
    windows = np.pad(mask, missing[:2], mode="symmetric")
    for axis in (0, 1):
        windows = np.asarray(sliding_window_view(windows, SSIM_WINDOW_PX, axis).all(axis=-1))
    border_px = SSIM_WINDOW_PX // 2
    inner = similarity_map[border_px:-border_px, border_px:-border_px]
    return float(inner[windows].mean()) if windows.any() else float("nan")


def delta_e_2000(pred_rgb: Image, true_rgb: Image) -> float:
    """Mean CIEDE2000 colour difference, from 0; about 1 is just noticeable, black against white is 100.

    Counts lightness and colour together. Comparable with other CIEDE2000 of sRGB under D65, not with the
    older CIE76 or CIE94 differences.
    """
    return float(np.mean(delta_e_2000_map(pred_rgb, true_rgb), dtype=np.float64))


def delta_e_2000_map(pred_rgb: Image, true_rgb: Image) -> Image:
    """CIEDE2000 of each pixel, (H, W); see `delta_e_2000`."""
    pred, true = _pair(pred_rgb, true_rgb)
    return np.asarray(load_skimage("color").deltaE_ciede2000(_lab(pred), _lab(true)))


def angular_error_deg(pred_rgb: Image, true_rgb: Image) -> float:
    """Mean angle between the RGB vectors of a pixel, in degrees, in [0, 90]: colour without brightness.

    Pixels whose brightest channel is below 1/255 in either image are left out; NaN where none is left. A
    prediction can hide pixels by painting them black, so read it beside PSNR. Comparable only with the same
    mask.
    """
    pred, true = _pair(pred_rgb, true_rgb)
    bright = (pred.max(axis=2) >= DARK) & (true.max(axis=2) >= DARK)
    if not bright.any():
        return float("nan")
    return float(np.degrees(np.arccos(_pixel_cosines(pred, true)[bright])).mean())


def cosine(pred_rgb: Image, true_rgb: Image) -> float:
    """Mean over all pixels of the cosine between RGB vectors, in [0, 1]; a perfect image scores 1.

    Black against black counts as 1, black against any colour as 0. Any gray image scores about 0.95 and more
    on natural scenes: only differences on the same images mean something. Not comparable with `cosine_paper`.
    """
    return float(_pixel_cosines(*_pair(pred_rgb, true_rgb)).mean())


def cosine_paper(pred_rgb: Image, true_rgb: Image) -> float:
    """The "cosine()" of the SNet paper: a number for its table, which cannot rank anything.

    Per channel the mean of the cosine similarity of every row of one image with every row of the other, then
    the mean of the channels, in [0, 1]; a black row has similarity 0 with all. A perfect image does not score
    1. The paper's 0.9080 to 0.9211 are of this kind, but of pairs that were never published.

    Source: Dong et al. 2018, table 1, as the authors' laboratory computes it.
    """
    pred, true = _pair(pred_rgb, true_rgb)
    # The mean of all dot products of unit rows is the dot product of the mean unit rows.
    return float((_mean_unit_row(pred) * _mean_unit_row(true)).sum(axis=0).mean())


def chroma_error(pred_rgb: Image, true_rgb: Image) -> float:
    """Mean distance in the CIELAB (a, b) plane, from 0: the error of colour alone, lightness left out.

    Comparable on the same images only, since a dull scene has small errors; `chroma_gain` allows for that.
    """
    pred, true = _pair(pred_rgb, true_rgb)
    return _mean_chroma(_lab(pred)[..., 1:] - _lab(true)[..., 1:])


def gray_chroma_error(true_rgb: Image) -> float:
    """The `chroma_error` of any gray image against this one: the mean CIELAB chroma of the truth."""
    true, _ = _pair(true_rgb, true_rgb)
    return _mean_chroma(_lab(true)[..., 1:])


def chroma_gain(chroma_errors: Sequence[float], gray_chroma_errors: Sequence[float]) -> float:
    """The part of the truth's chroma that is explained: 1 perfect, 0 gray, below 0 worse than gray.

    1 - mean(`chroma_error`) / mean(`gray_chroma_error`) over one image or many: a ratio of means, so that one
    nearly gray scene does not decide. NaN where the truth is all gray. Comparable on the same set of images.
    """
    return 1 - _ratio_of_means(chroma_errors, gray_chroma_errors, least=ROUNDED_CHROMA)


def colorfulness(rgb: Image) -> float:
    """Colourfulness of one image, for values of 0..255: from 0 (gray) to about 110 (extremely colourful).

    Source: Hasler and Suesstrunk 2003, "Measuring colourfulness in natural images", the metric M^(3).
    Comparable between any images of sRGB.
    """
    image, _ = _pair(rgb, rgb)
    red, green, blue = np.moveaxis(255 * image, 2, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    spread, offset = opponents.std(axis=(1, 2)), opponents.mean(axis=(1, 2))
    return float(np.hypot(*spread) + 0.3 * np.hypot(*offset))


def colorfulness_ratio(pred_colorfulness: Sequence[float], true_colorfulness: Sequence[float]) -> float:
    """Colourfulness of the output over that of the truth, a ratio of means over images: best 1, gray 0.

    Below 1 the colours are pale, above 1 they are gaudy; whether they are the right ones it does not say. NaN
    where the truth is all gray. Comparable on the same set of images.
    """
    return _ratio_of_means(pred_colorfulness, true_colorfulness)


def load_skimage(module: str) -> Any:
    """A module of scikit-image, which belongs to the `[eval]` extra.

    Raises:
        UserError: scikit-image is not installed.
    """
    try:
        return importlib.import_module(f"skimage.{module}")
    except ImportError as error:
        raise UserError("scores need scikit-image; install it with: pip install 'ircolor[eval]'") from error


def _pair(pred_rgb: Image, true_rgb: Image) -> tuple[Image, Image]:
    """Both images as float64 in [0, 1], after checking that they can be compared."""
    if pred_rgb.shape != true_rgb.shape:
        raise ValueError(f"images of shape {pred_rgb.shape} and {true_rgb.shape}; make them of one size first")
    return unit_rgb(pred_rgb), unit_rgb(true_rgb)


def unit_rgb(rgb: Image) -> Image:
    """An image as float64 in [0, 1], (H, W, 3), after checking that it is one; else `ValueError`."""
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"an image of shape {rgb.shape}; expected (height, width, 3) RGB")
    if rgb.dtype == np.uint8:
        return rgb / 255.0
    if not np.issubdtype(rgb.dtype, np.floating):
        raise ValueError(f"pixels of type {rgb.dtype}; expected uint8, or float in [0, 1]")
    if not (rgb.min() >= 0 and rgb.max() <= 1):  # also true for NaN
        raise ValueError("float pixels outside [0, 1]; divide by the largest possible value first")
    return rgb.astype(np.float64)


def _lab(unit_rgb: Image) -> Image:
    """CIELAB in float64: float32 would be faster, and a mean CIEDE2000 up to 3e-6 off."""
    return np.asarray(load_skimage("color").rgb2lab(unit_rgb))


def lab_to_rgb(lab: Image) -> Image:
    """RGB in [0, 1], (..., 3), of CIELAB; colours that sRGB does not hold are clipped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of these
        return np.asarray(np.clip(load_skimage("color").lab2rgb(lab), 0, 1))


def _mean_chroma(ab: Image) -> float:
    return float(np.hypot(ab[..., 0], ab[..., 1]).mean(dtype=np.float64))


def _pixel_cosines(pred: Image, true: Image) -> Image:
    """(H, W) cosines in [0, 1]; 1 where both are black, 0 where one is."""
    pred_norm, true_norm = np.linalg.norm(pred, axis=2), np.linalg.norm(true, axis=2)
    product = pred_norm * true_norm
    lit = product > 0
    cosines = ((pred_norm == 0) & (true_norm == 0)).astype(np.float64)
    cosines[lit] = (pred * true).sum(axis=2)[lit] / product[lit]
    return np.asarray(np.clip(cosines, 0, 1))


def _mean_unit_row(image: Image) -> Image:
    """(W, 3): mean over the rows of each row scaled to length 1, per channel; black rows stay black."""
    length = np.linalg.norm(image, axis=1, keepdims=True)
    rows: Image = np.divide(image, length, out=np.zeros_like(image), where=length > 0)
    return np.asarray(rows.mean(axis=0))


def _ratio_of_means(numerators: Sequence[float], denominators: Sequence[float], least: float = 0.0) -> float:
    """NaN where the mean of the denominators is not above the least."""
    denominator = float(np.mean(denominators))
    return float(np.mean(numerators)) / denominator if denominator > least else float("nan")
