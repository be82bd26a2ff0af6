"""The typed client of the service, blocking (`Client`) and for asyncio (`AsyncClient`)."""

from simfactory.client.asynchronous import AsyncClient
from simfactory.client.blocking import Client
from simfactory.client.copies import Export, export
from simfactory.client.endpoint import Endpoint
from simfactory.client.retries import Retries
from simfactory.client.wire import FileEntry, Layout

__all__ = ["AsyncClient", "Client", "Endpoint", "Export", "FileEntry", "Layout", "Retries", "export"]
