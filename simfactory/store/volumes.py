"""Finds the volume behind a dataset's address; what a kind of volume needs is imported when one is opened."""

from simfactory.errors import StoreError
from simfactory.store.base import Volume
from simfactory.store.local import LocalVolume
from simfactory.store.location import Location, Url

__all__ = ["open_volume"]


def open_volume(location: Location, *, token: str | None = None) -> Volume:
    """Return the volume at a folder, at `s3://bucket/prefix` or at `http(s)://…/v1/datasets/NAME`.

    Args:
        location: Where the dataset lies.
        token: For HTTP: what the service asks for; None = the environment's SIMFACTORY_TOKEN, if any.

    Raises:
        StoreError: The address is malformed, a token is given where none is asked for, or obstore is not installed.
    """
    if isinstance(location, Url) and location.scheme != "s3":
        from simfactory.store.web import HttpVolume

        return HttpVolume(location.text, token=token)
    if token is not None:
        raise StoreError(f"{location}: a token is for datasets at http:// or https://; leave it out here")
    if not isinstance(location, Url):
        return LocalVolume(location)
    try:
        from simfactory.store.objects import ObjectVolume
    except ModuleNotFoundError as error:
        if error.name != "obstore":
            raise
        raise StoreError(f"{location}: object stores need obstore: pip install 'simfactory[s3]'") from error
    return ObjectVolume(location.text)
