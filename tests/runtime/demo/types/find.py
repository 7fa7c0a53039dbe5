"""Types of `find`: those of `nothing`."""

from .nothing import NothingRequest, NothingResponse

__all__ = ["NothingRequest", "NothingResponse"]
