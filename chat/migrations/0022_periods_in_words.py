from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0021_overflow_in_words'),
    ]

    operations = [
        migrations.AlterField(
            model_name='kpirollup',
            name='period',
            field=models.CharField(choices=[('day', 'day'), ('week', 'week')], max_length=4, verbose_name='period'),
        ),
    ]
