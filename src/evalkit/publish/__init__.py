"""The static site: what notebooks marked for readers, as plain pages without server or script."""

from evalkit.publish.site import site

__all__ = ["site"]
