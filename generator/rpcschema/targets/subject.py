"""A document, and everything that several targets derive from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rpcschema.model.nodes import Document
from rpcschema.python import classes, dataclasses, names, views
from rpcschema.settings import Settings
from rpcschema.text import outline


@dataclass(frozen=True)
class Subject:
    """The document that targets render. Whatever follows from it is computed when a target first needs it."""

    document: Document
    settings: Settings

    @cached_property
    def plan(self) -> classes.Plan:
        """The planned classes of the document."""
        return classes.plan(self.document, names.scalars(self.settings.home))

    @cached_property
    def module(self) -> str:
        """The source of the module of the classes."""
        return dataclasses.render(self.plan, self.document, self.settings)

    @cached_property
    def command(self) -> views.CommandView:
        """The command as source. Raises ValueError for a document of another kind."""
        return views.command_view(self.document, self.plan)

    @cached_property
    def outline(self) -> tuple[outline.PageSection, ...]:
        """The content of the document's page."""
        return outline.outline(self.document, self.settings.errors)
