"""`python -m steelyard` and the console script."""


def main() -> None:
    """Run the command line."""
    try:
        from steelyard.cli import main as cli
        from steelyard.cli.rim import prepare_process

        prepare_process()
    except KeyboardInterrupt:  # nothing is begun that would need a word
        raise SystemExit(130) from None
    cli()


if __name__ == "__main__":
    main()
