"""The two domains of photos, A and B, in the order that `--direction` gives them."""


def domains(direction: str) -> tuple[str, str]:
    """Letters of the domain that photos come from and of the one that they go to: `AtoB` -> `("A", "B")`."""
    return ("A", "B") if direction == "AtoB" else ("B", "A")
