"""The labelled rows on which a challenger is compared with a champion."""

import msgspec
import numpy as np
from numpy.typing import NDArray


class TrialRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of live traffic with labels, in the order in which the labels became known; `(n,)` each.

    `outcomes` is 1 where a row is of the class that the scores speak of and else 0, or the number of a regression.
    A score is NaN where a side did not see the row: a shadow sees all rows, a canary takes its share from the
    champion.
    """

    at: NDArray[np.datetime64]
    """When each row was asked."""
    known_at: NDArray[np.float64]
    """When each label became known, in seconds since 1970."""
    outcomes: NDArray[np.float64]
    champion: NDArray[np.float64]
    challenger: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.outcomes)

    def take(self, rows: NDArray[np.int64]) -> "TrialRows":
        """Some of the rows, by their positions, in the order given."""
        return TrialRows(
            at=self.at[rows],
            known_at=self.known_at[rows],
            outcomes=self.outcomes[rows],
            champion=self.champion[rows],
            challenger=self.challenger[rows],
        )

    def smaller_side(self) -> int:
        """How many rows the side has that has fewer."""
        return int(min((~np.isnan(self.champion)).sum(), (~np.isnan(self.challenger)).sum()))
