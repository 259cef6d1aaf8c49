"""Tasks: what the user asked for, and everything that has to happen so that an agent does it."""

from app.tasks.models import ModelChoice, Models
from app.tasks.reach import Lookup
from app.tasks.service import TaskService

__all__ = ["Lookup", "ModelChoice", "Models", "TaskService"]
