"""`python -m steelyard` and the console script."""


def main() -> None:
    """Run the command line."""
    from steelyard.cli import main as cli

    cli()


if __name__ == "__main__":
    main()
