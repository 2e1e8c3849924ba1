"""What users hold: a record plus what can be asked about it. Views are handed a workspace; they never open one."""

from lineal.views.base import Named, Stores
from lineal.views.crashes import notice_crash
from lineal.views.lineage import LineageView
from lineal.views.nouns import ArtifactView, RunView, StepRunView, VersionView
from lineal.views.pipeline import PipelineView
from lineal.views.plan_view import PlanView

__all__ = [
    "ArtifactView",
    "LineageView",
    "Named",
    "PipelineView",
    "PlanView",
    "RunView",
    "StepRunView",
    "Stores",
    "VersionView",
    "notice_crash",
]
