"""What was finished, kept pair by pair: an interrupted run over thousands of pairs loses none."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ircolor.errors import UserError
from ircolor.registration.aligned import Crop
from ircolor.registration.result import Registration

JOURNAL_NAME = ".register.jsonl"


class Finished(NamedTuple):
    """A pair that needs no more work: its registration, its crop where it was written, and whether a mask was, too."""

    registration: Registration
    crop: Crop | None
    masked: bool = False


class Journal:
    """Finished pairs in a JSONL file, found again by a fingerprint of what went into them.

    One process writes. Of the records of a pair the last one counts: its files are those of that.

    Args:
        file: continued if it exists; lines that cannot be understood, as the last one of a run that was killed, are
            ignored, and their pairs are work to do.

    Raises:
        UserError: the file cannot be read.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._finished: dict[str, Finished] = {}
        self._fingerprint_of: dict[str, str] = {}  # by stem
        try:
            text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        except OSError as error:
            raise UserError(f"{file}: cannot be read ({error.strerror}); mend that or delete it") from error
        for line in text.splitlines():
            try:
                record = json.loads(line)
                if "begun" in record:
                    self._forget(record["begun"])
                else:
                    self._keep(record["fingerprint"], _finished(record))
            except (ValueError, KeyError, TypeError):
                continue
        self._torn = bool(text) and not text.endswith("\n")

    @property
    def stems(self) -> tuple[str, ...]:
        """Of the pairs that are finished."""
        return tuple(self._fingerprint_of)

    def finished(self, fingerprint: str) -> Finished | None:
        """What was recorded under a fingerprint; None where the pair is still to do."""
        return self._finished.get(fingerprint)

    def begin(self, stem: str) -> None:
        """Note that a pair is done anew, if an earlier run finished it: from now on its files are no longer of that.

        Raises:
            UserError: the file cannot be written.
        """
        if stem in self._fingerprint_of:
            self._append({"begun": stem})
            self._forget(stem)

    def record(self, fingerprint: str, registration: Registration, crop: Crop | None, *, masked: bool = False) -> None:
        """Append a finished pair; once this returns, neither a kill nor a power cut loses it.

        Args:
            fingerprint: tells the inputs and the settings of the pair from any others.
            registration: what was found.
            crop: (top, left, height, width) of the images written; None where none were.
            masked: a mask was written with them.

        Raises:
            UserError: the file cannot be written.
        """
        fields = asdict(registration) | {"matrix": registration.matrix.tolist()}
        self._append({"fingerprint": fingerprint, "crop": crop, "masked": masked, "registration": fields})
        self._keep(fingerprint, Finished(registration, crop, masked))

    def _keep(self, fingerprint: str, finished: Finished) -> None:
        self._forget(finished.registration.stem)
        self._finished[fingerprint] = finished
        self._fingerprint_of[finished.registration.stem] = fingerprint

    def _forget(self, stem: str) -> None:
        self._finished.pop(self._fingerprint_of.pop(stem, ""), None)

    def _append(self, record: dict[str, object]) -> None:
        line = json.dumps(record)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as file:
                file.write("\n" * self._torn + line + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UserError(f"{self.file}: cannot be written ({error.strerror}); mend that and run it again") from error
        self._torn = False


def _finished(record: dict[str, object]) -> Finished:
    fields, crop = record["registration"], record["crop"]
    if not isinstance(fields, dict) or not isinstance(crop, list | None):
        raise TypeError
    registration = Registration(**fields | {"matrix": np.array(fields["matrix"], float).reshape(3, 3)})
    return Finished(registration, tuple(crop) if crop else None, bool(record.get("masked")))
