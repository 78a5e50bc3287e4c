"""CIELAB and CIEDE2000 on tensors, for losses; `ircolor.metrics` has them on arrays, from scikit-image."""

import torch
from torch import Tensor

# Rows of linear sRGB to XYZ, divided by the white of D65 (2 degree observer).
_XYZ_OF_WHITE = ((0.433953, 0.376219, 0.189828), (0.212671, 0.715160, 0.072169), (0.017758, 0.109477, 0.872765))
_RGB_OF_XYZ = ((3.079931, -1.537147, -0.542784), (-0.921233, 1.875989, 0.045244), (0.052890, -0.204042, 1.151152))
_KNEE = 6 / 29
_MIN_CHROMA = 1e-12  # keeps gradients finite on gray


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """SRGB in [0, 1], (B, 3, H, W), to CIELAB (D65, 2 degrees): L in [0, 100], a and b about -100 to 100.

    Values outside [0, 1] are clipped. Differentiable.
    """
    rgb = rgb.clamp(0, 1)
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055).clamp(min=0.01) ** 2.4, rgb / 12.92)
    xyz = torch.einsum("ij,bjhw->bihw", linear.new_tensor(_XYZ_OF_WHITE), linear)
    root = torch.where(xyz > _KNEE**3, xyz.clamp(min=1e-3) ** (1 / 3), xyz / (3 * _KNEE**2) + 4 / 29)
    x, y, z = root.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """CIELAB, (B, 3, H, W), to sRGB, clipped to [0, 1]: the inverse of `rgb_to_lab`. Differentiable."""
    lightness, a, b = lab.unbind(dim=1)
    y = (lightness + 16) / 116
    root = torch.stack([y + a / 500, y, y - b / 200], dim=1)
    xyz = torch.where(root > _KNEE, root**3, (root - 4 / 29) * (3 * _KNEE**2))
    linear = torch.einsum("ij,bjhw->bihw", xyz.new_tensor(_RGB_OF_XYZ), xyz).clamp(0, 1)
    return torch.where(linear > 0.0031308, 1.055 * linear.clamp(min=1e-3) ** (1 / 2.4) - 0.055, 12.92 * linear)


def delta_e_2000(lab: Tensor, other: Tensor) -> Tensor:
    """CIEDE2000 colour difference of CIELAB images, (B, 3, H, W) each -> (B, H, W). No gradient is meant to pass.

    Source: Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference formula".
    """
    (l1, a1, b1), (l2, a2, b2) = lab.unbind(dim=1), other.unbind(dim=1)
    mean_c7 = ((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * (mean_c7 / (mean_c7 + 25.0**7)).sqrt()
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = (torch.remainder(torch.atan2(b, a), 2 * torch.pi) for a, b in ((a1, b1), (a2, b2)))
    colored = c1 * c2 > _MIN_CHROMA
    # Hue difference in [-pi, pi], and the mean hue in the middle of the shorter arc.
    dh = h2 - h1
    dh = dh - 2 * torch.pi * (dh > torch.pi) + 2 * torch.pi * (dh < -torch.pi)
    dh = torch.where(colored, dh, 0)
    mean_h = torch.where(colored, h1 + dh / 2, h1 + h2)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * torch.cos(mean_h - torch.pi / 6)
        + 0.24 * torch.cos(2 * mean_h)
        + 0.32 * torch.cos(3 * mean_h + torch.pi / 30)
        - 0.20 * torch.cos(4 * mean_h - 63 * torch.pi / 180)
    )
    degrees = torch.rad2deg(torch.remainder(mean_h, 2 * torch.pi))
    turn = torch.deg2rad(60 * torch.exp(-(((degrees - 275) / 25) ** 2)))
    mean_c7 = mean_c**7
    rotation = -2 * (mean_c7 / (mean_c7 + 25.0**7)).sqrt() * torch.sin(turn)
    lightness = (l2 - l1) / (1 + 0.015 * (mean_l - 50) ** 2 / (20 + (mean_l - 50) ** 2).sqrt())
    chroma = (c2 - c1) / (1 + 0.045 * mean_c)
    hue = 2 * (c1 * c2).sqrt() * torch.sin(dh / 2) / (1 + 0.015 * mean_c * t)
    return (lightness**2 + chroma**2 + hue**2 + rotation * chroma * hue).clamp(min=0).sqrt()
