"""What papermill finds under its entry point: the engine, loaded when it is first used.

papermill loads its entry points while it is itself being imported, and the engine imports papermill.
"""


class _Loaded(type):
    def __getattr__(cls, name):
        from evalkit.batch.engine import Engine

        return getattr(Engine, name)


class Engine(metaclass=_Loaded):
    """Stands for :class:`evalkit.batch.engine.Engine`."""
