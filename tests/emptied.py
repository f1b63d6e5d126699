"""After a test that committed, every table is empty again: by DELETE, as next to nothing is in them.

Django's own `flush` truncates, which on Postgres makes forty new files, and then lists every permission anew: more time
than most tests take.
"""
# ruff: noqa: S608 - the tables are our own.

from __future__ import annotations

from functools import cache

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

#: What the migrations' end has put there, and no test changes.
KEPT = (ContentType._meta.db_table, Permission._meta.db_table)


def empty_tables() -> None:
    deletes = [f'DELETE FROM "{table}"' for table in _tables()]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # No foreign key is looked at; in one trip, which is one transaction.
            cursor.execute("; ".join(
                ["SET session_replication_role = replica", *deletes, "SET session_replication_role = DEFAULT"]
            ))
            return
        with connection.constraint_checks_disabled(), transaction.atomic():
            for delete in deletes:
                cursor.execute(delete)


@cache
def _tables() -> list[str]:
    found = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(set(found) - set(KEPT))
