"""The forms of a circuit: its steps, who speaks at each, and what it decides on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from flask_babel import gettext, lazy_gettext
from wtforms import Field, SelectMultipleField
from wtforms.validators import DataRequired, Optional

from exchange.forms import Form, KeyedForm, Text

MOST = 4  # steps; a request that needs more is decided by nobody

_ = lazy_gettext


class StepFields(NamedTuple):
    """What is typed of one step: its name (None where it is written already), and who speaks there."""

    name: Field | None
    speakers: SelectMultipleField


class SpeakersForm(Form):
    """Who speaks at each step, and what the circuit decides on."""

    speakers1 = SelectMultipleField(_("Qui répond à cette étape ?"), choices=[], validate_choice=False)
    speakers2 = SelectMultipleField(_("Qui répond à cette étape ?"), choices=[], validate_choice=False)
    speakers3 = SelectMultipleField(_("Qui répond à cette étape ?"), choices=[], validate_choice=False)
    speakers4 = SelectMultipleField(_("Qui répond à cette étape ?"), choices=[], validate_choice=False)
    resources = SelectMultipleField(_("Pour quelles demandes ?"), choices=[], validate_choice=False)

    @property
    def steps(self) -> list[StepFields]:
        """The fields of each step, in order."""
        return [StepFields(None, self[f"speakers{number}"]) for number in range(1, MOST + 1)]

    def offer(self, officers: Mapping[int, str], resources: Sequence[tuple[str, str]]) -> None:
        """Say who can be chosen, and what."""
        for step in self.steps:
            step.speakers.choices = [(str(id_), name) for id_, name in officers.items()]
        self.resources.choices = list(resources)

    def speakers(self, number: int) -> set[int]:
        """The sign-ins that are ticked at a step, counted from 1: those that were offered, and nobody else."""
        field = self[f"speakers{number}"]
        offered = {value for value, _name in field.choices}
        return {int(value) for value in field.data or () if value in offered}

    def chosen(self) -> set[str]:
        """The resources that are ticked, by their random identifiers."""
        return set(self.resources.data or ()) & {value for value, _name in self.resources.choices}


class CircuitForm(SpeakersForm, KeyedForm):
    """Another circuit, with its name and those of its steps."""

    name = Text(
        _("Comment s’appelle ce circuit ?"), most=120, validators=[DataRequired(_("Donnez un nom à ce circuit."))],
        description=_("Par exemple : Grandes salles."),
    )  # fmt: skip
    step1 = Text(_("Étape 1"), most=80, validators=[DataRequired(_("Il faut au moins une étape."))],
                 description=_("Par exemple : Service technique."))  # fmt: skip
    step2 = Text(_("Étape 2"), most=80, validators=[Optional()],
                 description=_("Par exemple : Élue à la vie associative."))  # fmt: skip
    step3 = Text(_("Étape 3"), most=80, validators=[Optional()])
    step4 = Text(_("Étape 4"), most=80, validators=[Optional()])

    @property
    def steps(self) -> list[StepFields]:
        """The fields of each step, in order."""
        return [StepFields(self[f"step{number}"], self[f"speakers{number}"]) for number in range(1, MOST + 1)]

    def validate(self, extra_validators: Mapping[str, Sequence[object]] | None = None) -> bool:
        """A step in which people are ticked has a name."""
        held = super().validate(extra_validators)
        for step in self.steps:
            if step.name is not None and step.speakers.data and not step.name.data and not step.name.errors:
                step.name.errors = [gettext("Donnez un nom à cette étape.")]
                held = False
        return held

    def written(self) -> Iterator[tuple[str, set[int]]]:
        """The steps that have a name, each with who speaks there."""
        for number, step in enumerate(self.steps, 1):
            if step.name is not None and step.name.data:
                yield step.name.data, self.speakers(number)
