from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("chat", "0020_route_is_gone"),
    ]

    operations = [
        migrations.AlterField(
            model_name="modelroute",
            name="max_concurrent",
            field=models.PositiveIntegerField(
                db_default=0, default=0, verbose_name="max concurrent",
                help_text="Requests at a time from one process; more begin with another route, or wait. 0: no limit.",
            ),
        ),
    ]
