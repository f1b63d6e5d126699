from django.db import migrations, models


class Migration(migrations.Migration):
    """Processes of this version write rows without it, those of before with it: both may run."""

    dependencies = [
        ("chat", "0022_periods_in_words"),
    ]

    operations = [
        migrations.AlterField(
            model_name="rolloutstate",
            name="verdict",
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
