"""The rollout is a flag of django-waffle: its name, note and times; `users` and `groups`, which waffle insists on."""

import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def drop_links(apps, schema_editor):
    """waffle's own flag is swapped out. Its links to users and groups, which are empty, would keep those tables from
    being emptied: nothing that looks at the models knows them any more."""
    for name in ("users", "groups"):
        schema_editor.delete_model(apps.get_model("waffle", "Flag")._meta.get_field(name).remote_field.through)


def make_links(apps, schema_editor):
    for name in ("users", "groups"):
        schema_editor.create_model(apps.get_model("waffle", "Flag")._meta.get_field(name).remote_field.through)


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('chat', '0015_settled_traces'),
        ('waffle', '0004_update_everyone_nullbooleanfield'),
    ]

    operations = [
        migrations.RunPython(drop_links, make_links),
        migrations.AlterModelOptions(
            name='rolloutdecision',
            options={'ordering': ['-pk'], 'verbose_name': 'rollout decision', 'verbose_name_plural': 'rollout history'},
        ),
        migrations.AlterModelOptions(
            name='rolloutstate',
            options={'verbose_name': 'rollout flag', 'verbose_name_plural': 'rollout flag'},
        ),
        migrations.AddField(
            model_name='rolloutstate',
            name='created',
            field=models.DateTimeField(db_index=True, default=django.utils.timezone.now, help_text='Date when this Flag was created.', verbose_name='Created'),
        ),
        migrations.AddField(
            model_name='rolloutstate',
            name='groups',
            field=models.ManyToManyField(blank=True, help_text='Activate this flag for these user groups.', to='auth.group', verbose_name='Groups'),
        ),
        migrations.AddField(
            model_name='rolloutstate',
            name='modified',
            field=models.DateTimeField(default=django.utils.timezone.now, help_text='Date when this Flag was last modified.', verbose_name='Modified'),
        ),
        migrations.AddField(
            model_name='rolloutstate',
            name='name',
            field=models.CharField(default='chat_streaming', editable=False, max_length=100, unique=True),
        ),
        migrations.AddField(
            model_name='rolloutstate',
            name='note',
            field=models.TextField(blank=True, help_text='Note where this Flag is used.', verbose_name='Note'),
        ),
        migrations.AddField(
            model_name='rolloutstate',
            name='users',
            field=models.ManyToManyField(blank=True, help_text='Activate this flag for these users.', to=settings.AUTH_USER_MODEL, verbose_name='Users'),
        ),
        migrations.AlterField(
            model_name='rolloutdecision',
            name='action',
            field=models.CharField(max_length=10, verbose_name='action'),
        ),
        migrations.AlterField(
            model_name='rolloutdecision',
            name='at',
            field=models.DateTimeField(auto_now_add=True, verbose_name='at'),
        ),
        migrations.AlterField(
            model_name='rolloutdecision',
            name='evidence',
            field=models.JSONField(default=list, verbose_name='evidence'),
        ),
        migrations.AlterField(
            model_name='rolloutdecision',
            name='from_stage',
            field=models.PositiveSmallIntegerField(verbose_name='from stage'),
        ),
        migrations.AlterField(
            model_name='rolloutdecision',
            name='percent',
            field=models.PositiveSmallIntegerField(verbose_name='per cent'),
        ),
        migrations.AlterField(
            model_name='rolloutdecision',
            name='to_stage',
            field=models.PositiveSmallIntegerField(verbose_name='to stage'),
        ),
        migrations.AlterField(
            model_name='rolloutdecision',
            name='who',
            field=models.CharField(max_length=150, verbose_name='who'),
        ),
        migrations.AlterField(
            model_name='rolloutdecision',
            name='why',
            field=models.TextField(verbose_name='why'),
        ),
        migrations.AlterField(
            model_name='rolloutstate',
            name='is_auto',
            field=models.BooleanField(default=False, verbose_name='the gate promotes by itself'),
        ),
        migrations.AlterField(
            model_name='rolloutstate',
            name='is_held',
            field=models.BooleanField(default=False, verbose_name='held'),
        ),
        migrations.AlterField(
            model_name='rolloutstate',
            name='looked_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='looked at'),
        ),
        migrations.AlterField(
            model_name='rolloutstate',
            name='percent',
            field=models.PositiveSmallIntegerField(default=100, verbose_name='per cent'),
        ),
        migrations.AlterField(
            model_name='rolloutstate',
            name='salt',
            field=models.CharField(default='', max_length=32),
        ),
        migrations.AlterField(
            model_name='rolloutstate',
            name='since',
            field=models.DateTimeField(verbose_name='since'),
        ),
        migrations.AlterField(
            model_name='rolloutstate',
            name='stage',
            field=models.PositiveSmallIntegerField(default=4, verbose_name='stage'),
        ),
    ]
