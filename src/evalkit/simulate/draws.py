"""Random numbers: one independent stream for each purpose, so that a switch never shifts another's draws."""

from zlib import crc32

import numpy as np


class Draws:
    """Random arrays by name; the same seed, name and shape give the same numbers."""

    def __init__(self, seed):
        self._seed = seed

    def generator(self, name):
        """Return a generator of its own for ``name``."""
        return np.random.default_rng([self._seed, crc32(name.encode())])

    def normal(self, name, *shape):
        """Return standard normal numbers."""
        return self.generator(name).standard_normal(shape)

    def uniform(self, name, *shape):
        """Return numbers between 0 and 1."""
        return self.generator(name).random(shape)


def whole(expected, u):
    """Round ``expected`` to a whole number at random, so that its mean stays (u: uniform numbers)."""
    return np.floor(expected + u).astype(np.int64)


def headcount(u, n, share):
    """Return the count of n that the uniform number u stands for, where each counts with chance ``share``.

    The binomial quantile: one u gives counts that rise with ``share``, so that two standards applied to the
    same households agree on who is poorer.
    """
    from scipy.special import bdtrik

    count = np.ceil(bdtrik(u, n.astype(float), np.clip(share, 0.0, 1.0)))
    return np.clip(np.nan_to_num(count), 0, n).astype(np.int64)


def persistent(innovations, rho):
    """Return a stationary autoregression along the last axis, of unit variance, from standard innovations."""
    out = np.empty_like(innovations)
    out[..., 0] = innovations[..., 0]
    for t in range(1, out.shape[-1]):
        out[..., t] = rho * out[..., t - 1] + np.sqrt(1 - rho**2) * innovations[..., t]
    return out
