from typing import Any

from django.db import migrations, models


def mark(apps: Any, schema_editor: Any) -> None:
    """Until now nobody but the environment could switch its routes off."""
    routes = apps.get_model("chat", "ModelRoute").objects
    routes.filter(is_from_environment=True, is_enabled=False).update(is_gone=True)


class Migration(migrations.Migration):

    dependencies = [
        ("chat", "0019_names_in_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelroute",
            name="is_gone",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
