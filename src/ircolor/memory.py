"""How much memory one image may take: a fixed budget, less where the machine has less to give."""

from ircolor.machine import memory

# For the decoded image, the rows of the result that are being made, and a run of the network; the process needs some
# 300 MB besides.
MEMORY_BUDGET_BYTES = 900 << 20
# Of the budget, at least this is left to the network, however large the image: with tiles little larger than their
# overlap, nearly all of the work would be done twice or more.
LEAST_SHARE = 0.25
# So much is there in any case. To ask what is free takes a millisecond, which a frame of a video is not to wait for.
LITTLE_BYTES = 64 << 20


def memory_budget(held_bytes: int = 0) -> tuple[int, str]:
    """What a run of the network and its rows of the result may take.

    Args:
        held_bytes: what the image takes already.

    Returns:
        Bytes, at least 1, and why as many, for the user.
    """
    rest_bytes = MEMORY_BUDGET_BYTES - held_bytes
    half_bytes = max(1, memory().available_bytes // 2)
    if half_bytes < rest_bytes:
        return half_bytes, f"half of the {half_bytes >> 19} MiB that are free"
    least_bytes = min(int(MEMORY_BUDGET_BYTES * LEAST_SHARE), half_bytes)
    if rest_bytes < least_bytes:
        return least_bytes, f"as the image takes {held_bytes >> 20} MiB itself"
    if held_bytes >> 20:
        return rest_bytes, f"{MEMORY_BUDGET_BYTES >> 20} MiB less the image"
    return rest_bytes, "its budget"


def lanes_for(num_threads: int) -> int:
    """How many runs of a network there should be at the same time: one a thread, as far as there is memory for them."""
    return max(1, min(num_threads, memory().available_bytes // 2 // MEMORY_BUDGET_BYTES))
