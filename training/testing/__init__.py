"""What tests of models use: the contract of backbones, and tiny pipelines of diffusers."""

__all__: list[str] = []
