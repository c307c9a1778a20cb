"""The client: an Andon that runs elsewhere, used from Python and notebooks, with DataFrames in and out."""

from ingest.errors import RemoteError
from service.client.andon import Andon, Receipt

__all__ = ["Andon", "Receipt", "RemoteError"]
