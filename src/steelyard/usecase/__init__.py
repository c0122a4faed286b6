"""What the team wants: the study file, the data, the workload, the intended use.

The functions that do it live in their own modules, so that importing the nouns stays free: `load.load_study`,
`load.claim_output`, `read.load_dataset`, `peeks.peek`, `schema.study_json_schema`.
"""

from steelyard.usecase.case import (
    CandidateSpec,
    DataSpec,
    Organisation,
    Privacy,
    Requirement,
    TaskSpec,
    Use,
    UseCase,
    Users,
    Workload,
)
from steelyard.usecase.dataset import Dataset, Leak, OddRow, Sample

__all__ = [
    "CandidateSpec",
    "DataSpec",
    "Dataset",
    "Leak",
    "OddRow",
    "Organisation",
    "Privacy",
    "Requirement",
    "Sample",
    "TaskSpec",
    "Use",
    "UseCase",
    "Users",
    "Workload",
]
