from django.db import migrations


class Migration(migrations.Migration):
    """Processes of before read the column at every turn: they must be gone."""

    dependencies = [
        ("chat", "0023_verdict_by_default"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="rolloutstate",
            name="verdict",
        ),
    ]
