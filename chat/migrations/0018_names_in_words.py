"""Names of models and fields, and of choices, as people read them: nothing of it is in the database."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class InWords(migrations.SeparateDatabaseAndState):
    """All of it at once: to render the models anew after each name took seconds of every first start."""

    def state_forwards(self, app_label, state):
        state.__dict__.pop('apps', None)
        super().state_forwards(app_label, state)


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0017_indexes_of_a_turn'),
    ]

    operations = [
        InWords(state_operations=[
            migrations.AlterModelOptions(
                name='alarmincident',
                options={'ordering': ['-pk'], 'verbose_name': 'alarm incident', 'verbose_name_plural': 'alarm incidents'},
            ),
            migrations.AlterModelOptions(
                name='alarmnotice',
                options={'ordering': ['-pk'], 'verbose_name': 'alarm notice', 'verbose_name_plural': 'alarm notices'},
            ),
            migrations.AlterModelOptions(
                name='card',
                options={'verbose_name': 'card', 'verbose_name_plural': 'cards'},
            ),
            migrations.AlterModelOptions(
                name='character',
                options={'ordering': ['sort', 'slug'], 'verbose_name': 'character', 'verbose_name_plural': 'characters'},
            ),
            migrations.AlterModelOptions(
                name='generation',
                options={'ordering': ['-created_at'], 'verbose_name': 'generation', 'verbose_name_plural': 'generations'},
            ),
            migrations.AlterModelOptions(
                name='message',
                options={'ordering': ['position', 'created_at'], 'verbose_name': 'message', 'verbose_name_plural': 'messages'},
            ),
            migrations.AlterModelOptions(
                name='modelroute',
                options={'ordering': ['sort', 'name'], 'verbose_name': 'model route', 'verbose_name_plural': 'model routes'},
            ),
            migrations.AlterModelOptions(
                name='outboxjob',
                options={'ordering': ['available_at'], 'verbose_name': 'outbox job', 'verbose_name_plural': 'outbox jobs'},
            ),
            migrations.AlterModelOptions(
                name='periodicjob',
                options={'ordering': ['name'], 'verbose_name': 'periodic job', 'verbose_name_plural': 'periodic jobs'},
            ),
            migrations.AlterModelOptions(
                name='persona',
                options={'verbose_name': 'persona', 'verbose_name_plural': 'personas'},
            ),
            migrations.AlterModelOptions(
                name='processlease',
                options={'verbose_name': 'process lease', 'verbose_name_plural': 'process leases'},
            ),
            migrations.AlterModelOptions(
                name='room',
                options={'ordering': ['-active_at'], 'verbose_name': 'room', 'verbose_name_plural': 'rooms'},
            ),
            migrations.AlterModelOptions(
                name='trace',
                options={'ordering': ['-created_at'], 'verbose_name': 'trace', 'verbose_name_plural': 'traces'},
            ),
            migrations.AlterField(
                model_name='alarmincident',
                name='calm_looks',
                field=models.PositiveSmallIntegerField(default=0, verbose_name='calm looks'),
            ),
            migrations.AlterField(
                model_name='alarmincident',
                name='closed_at',
                field=models.DateTimeField(blank=True, null=True, verbose_name='closed at'),
            ),
            migrations.AlterField(
                model_name='alarmincident',
                name='limit',
                field=models.FloatField(verbose_name='limit'),
            ),
            migrations.AlterField(
                model_name='alarmincident',
                name='opened_at',
                field=models.DateTimeField(auto_now_add=True, verbose_name='opened at'),
            ),
            migrations.AlterField(
                model_name='alarmincident',
                name='rule',
                field=models.CharField(max_length=40, verbose_name='rule'),
            ),
            migrations.AlterField(
                model_name='alarmincident',
                name='text',
                field=models.TextField(verbose_name='text'),
            ),
            migrations.AlterField(
                model_name='alarmincident',
                name='value',
                field=models.FloatField(verbose_name='value'),
            ),
            migrations.AlterField(
                model_name='alarmincident',
                name='worst',
                field=models.FloatField(verbose_name='worst'),
            ),
            migrations.AlterField(
                model_name='alarmnotice',
                name='attempts',
                field=models.PositiveIntegerField(default=0, verbose_name='attempts'),
            ),
            migrations.AlterField(
                model_name='alarmnotice',
                name='delivered_at',
                field=models.DateTimeField(blank=True, null=True, verbose_name='delivered at'),
            ),
            migrations.AlterField(
                model_name='alarmnotice',
                name='incident',
                field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='chat.alarmincident', verbose_name='incident'),
            ),
            migrations.AlterField(
                model_name='alarmnotice',
                name='is_recovery',
                field=models.BooleanField(verbose_name='is recovery'),
            ),
            migrations.AlterField(
                model_name='alarmnotice',
                name='last_error',
                field=models.TextField(blank=True, verbose_name='last error'),
            ),
            migrations.AlterField(
                model_name='alarmnotice',
                name='next_at',
                field=models.DateTimeField(verbose_name='next at'),
            ),
            migrations.AlterField(
                model_name='alarmnotice',
                name='receiver',
                field=models.CharField(max_length=254, verbose_name='receiver'),
            ),
            migrations.AlterField(
                model_name='card',
                name='character',
                field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cards', to='chat.character', verbose_name='character'),
            ),
            migrations.AlterField(
                model_name='card',
                name='language',
                field=models.CharField(choices=[('ko', '한국어'), ('en', 'English')], max_length=8, verbose_name='language'),
            ),
            migrations.AlterField(
                model_name='character',
                name='accent',
                field=models.CharField(default='#7c5cff', max_length=7, verbose_name='accent'),
            ),
            migrations.AlterField(
                model_name='character',
                name='is_published',
                field=models.BooleanField(default=True, verbose_name='is published'),
            ),
            migrations.AlterField(
                model_name='character',
                name='portrait',
                field=models.CharField(max_length=200, verbose_name='portrait'),
            ),
            migrations.AlterField(
                model_name='character',
                name='route',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='chat.modelroute', verbose_name='route'),
            ),
            migrations.AlterField(
                model_name='character',
                name='slug',
                field=models.SlugField(unique=True, verbose_name='slug'),
            ),
            migrations.AlterField(
                model_name='character',
                name='sort',
                field=models.PositiveSmallIntegerField(default=100, verbose_name='sort'),
            ),
            migrations.AlterField(
                model_name='character',
                name='talk_count',
                field=models.PositiveIntegerField(default=0, editable=False, verbose_name='talk count'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='attempt',
                field=models.PositiveIntegerField(default=1, verbose_name='attempt'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='cached_tokens',
                field=models.PositiveIntegerField(blank=True, null=True, verbose_name='cached tokens'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='checkpoint_seq',
                field=models.PositiveIntegerField(default=0, verbose_name='checkpoint seq'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='completion_tokens',
                field=models.PositiveIntegerField(blank=True, null=True, verbose_name='completion tokens'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='created_at',
                field=models.DateTimeField(auto_now_add=True, verbose_name='created at'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='ended_at',
                field=models.DateTimeField(blank=True, null=True, verbose_name='ended at'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='error_code',
                field=models.CharField(blank=True, max_length=40, verbose_name='error code'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='finish_reason',
                field=models.CharField(blank=True, max_length=20, verbose_name='finish reason'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='first_ms',
                field=models.FloatField(blank=True, null=True, verbose_name='first ms'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='kind',
                field=models.CharField(choices=[('reply', 'Reply'), ('regenerate', 'Regenerate'), ('continue', 'Continue')], default='reply', max_length=10, verbose_name='kind'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='last_seq',
                field=models.PositiveIntegerField(blank=True, null=True, verbose_name='last seq'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='model',
                field=models.CharField(blank=True, max_length=120, verbose_name='model'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='owner',
                field=models.CharField(max_length=80, verbose_name='owner'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='path',
                field=models.CharField(max_length=10, verbose_name='path'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='prefix_length',
                field=models.PositiveIntegerField(default=0, verbose_name='prefix length'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='prompt_tokens',
                field=models.PositiveIntegerField(blank=True, null=True, verbose_name='prompt tokens'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='request_id',
                field=models.CharField(max_length=64, verbose_name='request id'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='route_name',
                field=models.CharField(blank=True, max_length=80, verbose_name='route name'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='status',
                field=models.CharField(choices=[('running', 'Running'), ('done', 'Done'), ('stopped', 'Stopped'), ('interrupted', 'Interrupted'), ('failed', 'Failed')], default='running', max_length=12, verbose_name='status'),
            ),
            migrations.AlterField(
                model_name='generation',
                name='total_ms',
                field=models.FloatField(blank=True, null=True, verbose_name='total ms'),
            ),
            migrations.AlterField(
                model_name='kpirollup',
                name='by',
                field=models.CharField(blank=True, max_length=10, verbose_name='by'),
            ),
            migrations.AlterField(
                model_name='kpirollup',
                name='figures',
                field=models.JSONField(default=dict, verbose_name='figures'),
            ),
            migrations.AlterField(
                model_name='kpirollup',
                name='made_at',
                field=models.DateTimeField(verbose_name='made at'),
            ),
            migrations.AlterField(
                model_name='kpirollup',
                name='period',
                field=models.CharField(max_length=4, verbose_name='period'),
            ),
            migrations.AlterField(
                model_name='kpirollup',
                name='starts_on',
                field=models.DateField(verbose_name='starts on'),
            ),
            migrations.AlterField(
                model_name='kpirollup',
                name='value',
                field=models.CharField(blank=True, max_length=80, verbose_name='value'),
            ),
            migrations.AlterField(
                model_name='message',
                name='created_at',
                field=models.DateTimeField(auto_now_add=True, verbose_name='created at'),
            ),
            migrations.AlterField(
                model_name='message',
                name='deleted_at',
                field=models.DateTimeField(blank=True, null=True, verbose_name='deleted at'),
            ),
            migrations.AlterField(
                model_name='message',
                name='edited_at',
                field=models.DateTimeField(blank=True, null=True, verbose_name='edited at'),
            ),
            migrations.AlterField(
                model_name='message',
                name='position',
                field=models.PositiveIntegerField(verbose_name='position'),
            ),
            migrations.AlterField(
                model_name='message',
                name='reply_to',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='replies', to='chat.message', verbose_name='reply to'),
            ),
            migrations.AlterField(
                model_name='message',
                name='role',
                field=models.CharField(choices=[('user', 'User'), ('character', 'Character')], max_length=10, verbose_name='role'),
            ),
            migrations.AlterField(
                model_name='message',
                name='selected',
                field=models.BooleanField(default=True, verbose_name='selected'),
            ),
            migrations.AlterField(
                model_name='message',
                name='status',
                field=models.CharField(choices=[('writing', 'Writing'), ('complete', 'Complete'), ('stopped', 'Stopped'), ('interrupted', 'Interrupted'), ('failed', 'Failed')], default='complete', max_length=12, verbose_name='status'),
            ),
            migrations.AlterField(
                model_name='message',
                name='tokens',
                field=models.PositiveIntegerField(default=0, verbose_name='tokens'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='api_key_env',
                field=models.CharField(blank=True, help_text='Name of the environment variable that holds the key.', max_length=80, verbose_name='api key env'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='base_url',
                field=models.CharField(blank=True, max_length=300, verbose_name='base url'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='can_prefill',
                field=models.BooleanField(default=False, verbose_name='can prefill'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='first_content_seconds',
                field=models.FloatField(default=10.0, verbose_name='first content seconds'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='gap_seconds',
                field=models.FloatField(default=10.0, verbose_name='gap seconds'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='hedges',
                field=models.BooleanField(db_default=False, default=False, help_text='When first words are late here, ask the next route too; the first one wins.', verbose_name='hedges'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='is_enabled',
                field=models.BooleanField(default=True, verbose_name='is enabled'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='kind',
                field=models.CharField(choices=[('openai', 'OpenAI-compatible'), ('anthropic', 'Anthropic'), ('gemini', 'Gemini'), ('scripted', 'Scripted (development and tests)')], default='openai', max_length=10, verbose_name='kind'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='max_concurrent',
                field=models.PositiveIntegerField(db_default=0, default=0, help_text='Requests at a time from one process; more of them wait their turn. 0: no limit.', verbose_name='max concurrent'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='max_context_tokens',
                field=models.PositiveIntegerField(default=8192, verbose_name='max context tokens'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='max_output_tokens',
                field=models.PositiveIntegerField(default=1024, verbose_name='max output tokens'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='model',
                field=models.CharField(blank=True, max_length=120, verbose_name='model'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='name',
                field=models.CharField(max_length=80, unique=True, verbose_name='name'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='options',
                field=models.JSONField(blank=True, default=dict, verbose_name='options'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='price_cached',
                field=models.FloatField(db_default=0.0, default=0.0, help_text='The same, for those that the provider had cached.', verbose_name='price cached'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='price_completion',
                field=models.FloatField(db_default=0.0, default=0.0, help_text='The same, for tokens of the answer.', verbose_name='price completion'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='price_prompt',
                field=models.FloatField(db_default=0.0, default=0.0, help_text='US dollars for a million tokens of prompt.', verbose_name='price prompt'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='sort',
                field=models.PositiveSmallIntegerField(default=100, verbose_name='sort'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='total_seconds',
                field=models.FloatField(default=60.0, verbose_name='total seconds'),
            ),
            migrations.AlterField(
                model_name='modelroute',
                name='warms_prompt',
                field=models.BooleanField(default=False, help_text="Have the room's prompt read as soon as the room is opened. Costs a request each time.", verbose_name='warms prompt'),
            ),
            migrations.AlterField(
                model_name='outboxjob',
                name='attempts',
                field=models.PositiveSmallIntegerField(default=0, verbose_name='attempts'),
            ),
            migrations.AlterField(
                model_name='outboxjob',
                name='available_at',
                field=models.DateTimeField(verbose_name='available at'),
            ),
            migrations.AlterField(
                model_name='outboxjob',
                name='created_at',
                field=models.DateTimeField(auto_now_add=True, verbose_name='created at'),
            ),
            migrations.AlterField(
                model_name='outboxjob',
                name='done_at',
                field=models.DateTimeField(blank=True, null=True, verbose_name='done at'),
            ),
            migrations.AlterField(
                model_name='outboxjob',
                name='kind',
                field=models.CharField(max_length=40, verbose_name='kind'),
            ),
            migrations.AlterField(
                model_name='outboxjob',
                name='leased_until',
                field=models.DateTimeField(blank=True, null=True, verbose_name='leased until'),
            ),
            migrations.AlterField(
                model_name='outboxjob',
                name='status',
                field=models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('dead', 'Dead')], default='waiting', max_length=8, verbose_name='status'),
            ),
            migrations.AlterField(
                model_name='periodicjob',
                name='attempts',
                field=models.PositiveIntegerField(default=0, verbose_name='attempts'),
            ),
            migrations.AlterField(
                model_name='periodicjob',
                name='last_done_at',
                field=models.DateTimeField(blank=True, null=True, verbose_name='last done at'),
            ),
            migrations.AlterField(
                model_name='periodicjob',
                name='leased_until',
                field=models.DateTimeField(blank=True, null=True, verbose_name='leased until'),
            ),
            migrations.AlterField(
                model_name='periodicjob',
                name='name',
                field=models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='name'),
            ),
            migrations.AlterField(
                model_name='periodicjob',
                name='next_at',
                field=models.DateTimeField(verbose_name='next at'),
            ),
            migrations.AlterField(
                model_name='persona',
                name='about',
                field=models.CharField(blank=True, max_length=300, verbose_name='about'),
            ),
            migrations.AlterField(
                model_name='persona',
                name='name',
                field=models.CharField(max_length=24, verbose_name='name'),
            ),
            migrations.AlterField(
                model_name='persona',
                name='user',
                field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='persona', to=settings.AUTH_USER_MODEL, verbose_name='user'),
            ),
            migrations.AlterField(
                model_name='processlease',
                name='expires_at',
                field=models.DateTimeField(verbose_name='expires at'),
            ),
            migrations.AlterField(
                model_name='processlease',
                name='owner',
                field=models.CharField(max_length=80, primary_key=True, serialize=False, verbose_name='owner'),
            ),
            migrations.AlterField(
                model_name='processlease',
                name='started_at',
                field=models.DateTimeField(auto_now_add=True, verbose_name='started at'),
            ),
            migrations.AlterField(
                model_name='room',
                name='active_at',
                field=models.DateTimeField(auto_now_add=True, verbose_name='active at'),
            ),
            migrations.AlterField(
                model_name='room',
                name='character',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rooms', to='chat.character', verbose_name='character'),
            ),
            migrations.AlterField(
                model_name='room',
                name='created_at',
                field=models.DateTimeField(auto_now_add=True, verbose_name='created at'),
            ),
            migrations.AlterField(
                model_name='room',
                name='head',
                field=models.PositiveBigIntegerField(default=0, verbose_name='head'),
            ),
            migrations.AlterField(
                model_name='room',
                name='language',
                field=models.CharField(max_length=8, verbose_name='language'),
            ),
            migrations.AlterField(
                model_name='room',
                name='message_count',
                field=models.PositiveIntegerField(default=0, verbose_name='message count'),
            ),
            migrations.AlterField(
                model_name='room',
                name='persona_name',
                field=models.CharField(blank=True, max_length=24, verbose_name='persona name'),
            ),
            migrations.AlterField(
                model_name='room',
                name='prompt_head_tokens',
                field=models.PositiveIntegerField(default=0, verbose_name='prompt head tokens'),
            ),
            migrations.AlterField(
                model_name='room',
                name='prompt_version',
                field=models.PositiveSmallIntegerField(default=1, verbose_name='prompt version'),
            ),
            migrations.AlterField(
                model_name='room',
                name='route',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to='chat.modelroute', verbose_name='route'),
            ),
            migrations.AlterField(
                model_name='room',
                name='title',
                field=models.CharField(blank=True, max_length=120, verbose_name='title'),
            ),
            migrations.AlterField(
                model_name='room',
                name='user_note',
                field=models.TextField(blank=True, verbose_name='user note'),
            ),
            migrations.AlterField(
                model_name='room',
                name='window_start',
                field=models.PositiveIntegerField(default=0, verbose_name='window start'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='abandoned',
                field=models.CharField(blank=True, db_default='', default='', max_length=16, verbose_name='abandoned'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='attempt',
                field=models.PositiveIntegerField(default=1, verbose_name='attempt'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='character',
                field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='traces', to='chat.character', verbose_name='character'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='cohort',
                field=models.CharField(blank=True, db_default='', default='', max_length=12, verbose_name='cohort'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='completion_ms',
                field=models.FloatField(blank=True, null=True, verbose_name='completion ms'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='created_at',
                field=models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='created at'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='error_code',
                field=models.CharField(blank=True, max_length=40, verbose_name='error code'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='failure',
                field=models.CharField(blank=True, db_default='', default='', max_length=16, verbose_name='failure'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='kind',
                field=models.CharField(blank=True, db_default='', default='', max_length=10, verbose_name='kind'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='mismatched',
                field=models.BooleanField(db_default=False, default=False, verbose_name='mismatched'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='outcome',
                field=models.CharField(blank=True, max_length=12, verbose_name='outcome'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='path',
                field=models.CharField(max_length=10, verbose_name='path'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='request_id',
                field=models.CharField(max_length=64, verbose_name='request id'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='resumes',
                field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='resumes'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='route_name',
                field=models.CharField(blank=True, db_default='', default='', max_length=80, verbose_name='route name'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='stage',
                field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='stage'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='ttft_ms',
                field=models.FloatField(blank=True, null=True, verbose_name='ttft ms'),
            ),
            migrations.AlterField(
                model_name='trace',
                name='ttft_source',
                field=models.CharField(blank=True, db_default='', default='', max_length=8, verbose_name='ttft source'),
            ),
            migrations.AlterField(
                model_name='user',
                name='is_guest',
                field=models.BooleanField(default=False, verbose_name='is guest'),
            ),
        ]),
    ]
