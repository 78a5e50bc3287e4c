import numpy as np
import pytest

from ircolor.media.latency import Latency
from ircolor.media.live import open_live


def make_latency(num_received: int = 0, num_dropped: int = 0) -> Latency:
    source = open_live("udp://127.0.0.1:5000", say=print)
    source.num_received, source.num_dropped = num_received, num_dropped
    return Latency(source)


def test_quantiles_are_within_one_percent() -> None:
    delays_s = np.random.default_rng(0).lognormal(-2, 1.5, 5000)
    latency = make_latency()
    for delay_s in delays_s:
        latency.add(100.0, 100.0 + delay_s)
    for share in (0.05, 0.5, 0.95, 0.99, 1.0):
        exact_s = np.quantile(delays_s, share, method="inverted_cdf")
        assert latency.quantile_s(share) == pytest.approx(exact_s, rel=0.0101)


def test_summary_tells_delays_and_skipped_frames() -> None:
    latency = make_latency(num_received=850, num_dropped=610)
    for _ in range(239):
        latency.add(10.0, 10.412)
    latency.add(20.0, 20.7)
    assert latency.summary() == (
        "arrival to written: median 409 ms, 95 % below 409 ms, longest 700 ms over 240 frames; "
        "610 of 850 received frames were skipped to keep up"
    )


def test_summary_without_frames_says_so() -> None:
    assert make_latency(3, 3).summary() == ("no frame was written; 3 of 3 received frames were skipped to keep up")
    with pytest.raises(ValueError, match="no frame was counted"):
        make_latency().quantile_s(0.5)


def test_memory_does_not_grow_with_the_number_of_frames() -> None:
    latency = make_latency()
    for delay_s in np.geomspace(1e-7, 86400, 20000):
        latency.add(0.0, delay_s)
    assert len(latency._bins) <= 1300
