"""`python -m steelyard` and the console script."""


def main() -> None:
    """Run the command line."""
    from steelyard.cli import main as cli
    from steelyard.cli.rim import prepare_process

    prepare_process()
    cli()


if __name__ == "__main__":
    main()
