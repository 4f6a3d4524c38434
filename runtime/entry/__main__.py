"""Python -m mashbill."""


def main() -> int:
    """Run the command."""
    return 0
