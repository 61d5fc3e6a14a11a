"""The static site: only what notebooks marked for readers, as plain pages that need no server and no script."""

from evalkit.publish.site import site

__all__ = ["site"]
