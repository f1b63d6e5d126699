"""What is true. One file a noun; `chat.models` is the name everybody imports."""

from chat.models.alarms import AlarmIncident, AlarmNotice
from chat.models.characters import Card, Character
from chat.models.generations import Generation, ProcessLease, Trace
from chat.models.kpi import KpiRollup
from chat.models.messages import Message
from chat.models.outbox import OutboxJob, PeriodicJob
from chat.models.rollout import RolloutDecision, RolloutState
from chat.models.rooms import Persona, Room
from chat.models.routes import ModelRoute
from chat.models.users import User

__all__ = [
    "AlarmIncident", "AlarmNotice", "Card", "Character", "Generation", "KpiRollup", "Message", "ModelRoute",
    "OutboxJob", "PeriodicJob", "Persona", "ProcessLease", "RolloutDecision", "RolloutState", "Room", "Trace", "User",
]
