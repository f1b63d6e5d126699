"""A person who talks. A guest is a user without credentials who may later gain them; or nobody, of a load test."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

#: How the names of a load test's guests begin.
LOAD_PREFIX = "load-"


class User(AbstractUser):
    """`is_guest`: came in without an account; signing up turns this very row into a member."""

    is_guest = models.BooleanField(_("is guest"), default=False)

    @property
    def is_load(self) -> bool:
        """Nobody: a guest of `manage.py loadtest`, left out of whatever is told of people."""
        return self.is_guest and self.username.startswith(LOAD_PREFIX)

    def __str__(self) -> str:
        return gettext("guest {number}").format(number=self.pk) if self.is_guest else self.username
