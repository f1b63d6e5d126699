from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0020_route_is_gone'),
    ]

    operations = [
        migrations.AlterField(
            model_name='kpirollup',
            name='period',
            field=models.CharField(choices=[('day', 'day'), ('week', 'week')], max_length=4, verbose_name='period'),
        ),
    ]
