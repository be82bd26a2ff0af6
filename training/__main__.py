"""`python -m training` is the `simfactory-train` command."""

from training.cli import main

if __name__ == "__main__":
    main()
