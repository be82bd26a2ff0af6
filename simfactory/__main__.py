"""`python -m simfactory` is the `simfactory` command."""

from simfactory.cli import main

if __name__ == "__main__":
    main()
