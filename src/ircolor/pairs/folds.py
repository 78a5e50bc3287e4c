"""Parts of a set of pairs, by scene, so that nets can be tried on pictures that they were not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

from ircolor.pairs.index import Pair

# Scenes with neighbouring names often show one place; so many in a row stay together.
BLOCK_SCENES = 8


@dataclass(frozen=True)
class Fold:
    """One part of several.

    Attributes:
        number: from 0.
        of: how many parts there are.
    """

    number: int
    of: int

    def part(self, pairs: Sequence[Pair]) -> list[Pair]:
        """The pairs of this part."""
        scenes = self._scenes(pairs)
        return [pair for pair in pairs if pair.scene in scenes]

    def rest(self, pairs: Sequence[Pair]) -> list[Pair]:
        """All others."""
        scenes = self._scenes(pairs)
        return [pair for pair in pairs if pair.scene not in scenes]

    def _scenes(self, pairs: Sequence[Pair]) -> set[str]:
        scenes = sorted({pair.scene for pair in pairs})
        # Few scenes make smaller blocks, so that no part is empty.
        block = max(1, min(BLOCK_SCENES, len(scenes) // self.of))
        return {scene for place, scene in enumerate(scenes) if place // block % self.of == self.number}
