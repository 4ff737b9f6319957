"""Rows whose questions are kept: the pages that are asked for most ask the same ones."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Self

from django.db.models import QuerySet

from restores.querysets.asking import Bound, Plan
from restores.querysets.prepared import Prepared
from restores.querysets.visible import Visible

Questions = Iterable[QuerySet[Any, Any]]


class Planned(Visible):
    """Rows that can be asked by a plan."""

    # Of these very rows: what narrows them further has other questions.
    plan = Plan(None, {})

    def planned(self, plan: Plan) -> Self:
        """The same rows, whose questions are kept under the plan's key."""
        rows: Self = self._chain()  # type: ignore[attr-defined]
        rows.plan = plan
        return rows

    def asked(
        self,
        name: Hashable,
        questions: Callable[[Self], Questions],
        select: str = "",
        end: str = "",
    ) -> list[Bound]:
        """Ask for some of the rows, or for sums over them; a plan keeps the SQL under the name."""
        return self.plan.asked(
            (name, select, end), lambda: (Prepared(one, select, end) for one in questions(self))
        )

    def cuttable(self, name: Hashable, questions: Callable[[Self], Questions]) -> Sequence[Any]:
        """Rows in parts to be sliced: where there is no plan the querysets themselves."""
        return self.asked(name, questions) if self.plan.key else list(questions(self))
