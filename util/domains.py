"""Names of a dataroot's folders: the phases, and the two domains of photos in the order that `--direction` gives."""

PHASES = ("train", "val", "test")
DOMAINS = ("A", "B")


def domains(direction: str) -> tuple[str, str]:
    """Letters of the domain that photos come from and of the one that they go to: `AtoB` -> `("A", "B")`."""
    return DOMAINS if direction == "AtoB" else DOMAINS[::-1]
