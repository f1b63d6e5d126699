"""When each trace was settled, by the database's clock. Traces of before have none: the gate has counted them."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0014_generation_cohort'),
    ]

    operations = [
        # Without a default at first, which would be every old trace's.
        migrations.AddField(
            model_name='trace',
            name='settled_at',
            field=models.DateTimeField(null=True, editable=False),
        ),
        migrations.AlterField(
            model_name='trace',
            name='settled_at',
            field=models.DateTimeField(null=True, editable=False, db_default=Now(), db_index=True),
        ),
    ]
