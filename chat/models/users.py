"""A person who talks. A guest is a user without credentials who may later gain them."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """`is_guest`: came in without an account; signing up turns this very row into a member."""

    is_guest = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"guest {self.pk}" if self.is_guest else self.username
