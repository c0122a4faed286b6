"""From a study file to a UseCase, or to the list of all its mistakes."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from steelyard.errors import InputError, Problem
from steelyard.providers.keys import name_key
from steelyard.providers.privacy import DEFAULT_REACH
from steelyard.quantities import Unknown
from steelyard.usecase.case import (
    CandidateSpec,
    DataSpec,
    Hosting,
    Organisation,
    Privacy,
    StatedCost,
    TaskSpec,
    Use,
    UseCase,
    Users,
    Workload,
)
from steelyard.usecase.checks import cross_checks
from steelyard.usecase.cost_fields import CostPart
from steelyard.usecase.lines import Document, read_yaml
from steelyard.usecase.mistakes import placed, problem_of
from steelyard.usecase.records import READABLE
from steelyard.usecase.schema import CandidatePart, DataPart, StudyPart, TaskPart, UsePart, WorkloadPart

STUDY_FILE = "study.yaml"
MAX_BYTES = 1_000_000


def load_study(path: Path) -> UseCase:
    """Read and check a study: a YAML file, or a folder with `study.yaml`.

    Raises InputError with every mistake found, in the order of the file. Data files must exist; what stands in
    them is `load_dataset`'s business, and whether a candidate exists is the catalogue's.
    """
    file = path / STUDY_FILE if os.path.isdir(path) else path  # noqa: PTH112 (Path.is_dir raises for a name too long)
    document = read_yaml(_text(file), file.name)
    part, problems = _checked(document, file)
    if part is None or problems:
        raise InputError(problems)
    return _use_case(part, document, file)


def claim_output(case: UseCase) -> None:
    """Create the output folder for this study; InputError if it belongs to a study of another name.

    It is ignored by git, and closed to everybody who may not read the data.
    """
    owner = case.output / "owner"
    try:
        case.output.mkdir(_mode(case.data), exist_ok=True)
        held_by = owner.read_text("utf-8").strip() if owner.exists() else ""
        if not held_by:
            (case.output / ".gitignore").write_text("*\n", "utf-8")
            owner.write_text(f"{case.name}\n", "utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError):
            why, next_step = error.strerror, "make the folder writable and see that the disk has room"
        else:
            why, next_step = "its file `owner` is not text", f"write the study's name into it: {case.name}"
        raise InputError(
            Problem("output-unusable", f"cannot be used: {why}", str(case.output), "", next_step)
        ) from None
    if held_by and held_by != case.name:
        raise InputError(
            Problem(
                "output-of-another-study",
                f"the results here belong to the study {held_by!r}, not to {case.name!r}",
                str(case.output),
                next_step="give each study a folder of its own; if it was renamed, edit the file `owner` in there",
            )
        )


def _mode(data: DataSpec) -> int:
    """Group and others get in (as far as the umask lets them) if they may read every data file."""
    modes = [file.stat().st_mode for file in (data.file, data.train, data.test) if file is not None]
    return 0o700 | sum(7 * read // 4 for read in (0o040, 0o004) if all(mode & read for mode in modes))


def _text(file: Path) -> str:
    """The file's text, refused where it is no file of a study's size: /dev/zero never ends, a pipe may never begin."""
    if file.suffix.lower() in READABLE:
        next_step = "name the study file that names these data; `steelyard init` writes one"
        raise InputError(Problem("study-not-found", "this is a data file, not a study", file.name, "", next_step))
    next_step = "name a study file or a folder with study.yaml; `steelyard init` writes one"
    try:
        size = file.stat().st_size
        if not file.is_file():
            raise OSError(None, "it is no file")
        raw = file.read_bytes() if size <= MAX_BYTES else b""
    except (FileNotFoundError, ValueError):
        raise InputError(Problem("study-not-found", f"there is no study at {file}", next_step=next_step)) from None
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise InputError(Problem("study-not-found", what, str(file), next_step=next_step)) from None
    if size > MAX_BYTES:
        what, next_step = f"too large for a study ({size:,} bytes)", "leave the data in a file of their own"
        raise InputError(Problem("study-not-yaml", what, file.name, f"at most {MAX_BYTES:,} bytes", next_step))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"not UTF-8 (the byte 0x{raw[error.start]:02x})"
        problem = Problem("study-not-yaml", what, f"{file.name}:{line}", next_step="save the file as UTF-8")
        raise InputError(problem) from None


def _checked(document: Document, file: Path) -> tuple[StudyPart | None, list[Problem]]:
    if not isinstance(document.data, dict):
        next_step = "`steelyard init` writes a study to start from"
        what = "the file is empty" if document.data is None else "not a list of `key: value` lines"
        empty = () if document.problems else (Problem("study-not-yaml", what, file.name, "", next_step),)
        return None, [*document.problems, *empty]
    found = list(cross_checks(document.data, file.parent))
    part = None
    try:
        part = StudyPart.model_validate(document.data)
    except ValidationError as error:
        found += [(details["loc"], problem_of(details, StudyPart)) for details in error.errors(include_url=False)]
    told = {place[:depth] for place in document.unread for depth in range(1, len(place) + 1)}
    found = [(place, problem) for place, problem in found if place not in told]
    found.sort(key=lambda finding: document.line(finding[0]))
    return part, [*document.problems, *(placed(problem, document, file.name, place) for place, problem in found)]


def _use_case(part: StudyPart, document: Document, file: Path) -> UseCase:
    folder = file.parent.resolve()
    privacy = part.privacy
    return UseCase(
        name=part.name,
        question=part.question or f"Which model should {part.name} use?",
        file=file.resolve(),
        folder=folder,
        data=_data(part.data, folder),
        task=_task(part.task),
        use=use_of(part.use),
        privacy=Privacy(privacy.data_class, privacy.may_send_to or DEFAULT_REACH[privacy.data_class]),
        allow_ways=tuple(dict.fromkeys(part.allow_ways)),
        workload=_workload(part.workload) if part.workload else Unknown("the study file states no workload"),
        require=tuple(limit for _, limit in part.require if limit is not None),
        prefer=part.prefer,
        margin=part.decide.margin,
        also=tuple(dict.fromkeys(part.decide.also)),
        costs={name: _stated(cost, part) for name, cost in part.costs.items()},
        hosting=Hosting(part.hosting.on.strip().lower(), part.hosting.term, part.hosting.must_stay),
        candidates=tuple(
            _candidate(candidate, document.line(("candidates", number)))
            for number, candidate in enumerate(part.candidates)
        ),
    )


def _workload(part: WorkloadPart) -> Workload:
    """The peak is that of the hours where they are given."""
    hours, said = tuple(part.hours or ()), part.peak_to_mean
    peak = max(hours) * len(hours) / sum(hours) if hours else said
    return Workload(part.requests_per_day, peak, part.growth_per_month, part.horizon_months, hours)


def _stated(cost: CostPart, study: StudyPart) -> StatedCost:
    """In US dollars; the source names the rate where another currency was meant."""
    rate = study.currency.get(cost.currency)
    times = 1.0 if rate is None else rate.usd
    read = "" if rate is None else f"; 1 {cost.currency} = {rate.usd:g} USD on {rate.as_of} ({rate.source})"
    low, high = (cost.value if end is None else end for end in (cost.low, cost.high))
    source = f"{cost.source or 'study file'}{read}"
    return StatedCost(cost.value * times, low * times, high * times, source, cost.as_of)


def _data(part: DataPart, folder: Path) -> DataSpec:
    def absolute(name: str | float | None) -> Path | None:
        """A link keeps its own name: its suffix says what the file is, that of a store's blob does not."""
        return Path(os.path.abspath(folder / name)) if isinstance(name, str) else None  # noqa: PTH100

    return DataSpec(
        input=part.input,
        target=part.target,
        file=absolute(part.file),
        train=absolute(part.train),
        test=absolute(part.test),
        test_share=part.test if isinstance(part.test, float) else None,
        id=part.id,
        cluster=part.cluster,
        language=part.language,
        slices=tuple(dict.fromkeys(part.slices)),
        max_test=part.max_test,
        max_dev=part.max_dev,
        seed=part.seed,
    )


def _task(part: TaskPart) -> TaskSpec:
    return TaskSpec(part.kind, part.prompt, part.metric, part.shots, part.calibration)


def use_of(part: UsePart) -> Use:
    """The intended use that a checked `use` section states."""
    organisation, users = part.organisation, part.users
    return Use(
        purpose=part.purpose,
        commercial=part.commercial,
        distribute=part.distribute,
        outputs_train=part.outputs_train,
        field=part.field,
        role=part.role,
        already=tuple(dict.fromkeys(part.already)),
        tuned=part.tuned,
        organisation=Organisation(
            **dict(part.organisation) | {"domicile": tuple(dict.fromkeys(organisation.domicile))}
        ),
        users=Users(
            tuple(dict.fromkeys(users.territories)),
            users.monthly_active,
            users.monthly_active_at_release,
            dict(users.monthly_active_at),
        ),
    )


def _candidate(part: CandidatePart, line: int) -> CandidateSpec:
    if part.key_env:
        name_key(part.key_env)
    return CandidateSpec(part.id, f"line {line}", part.base_url, part.key_env, part.contracted, dict(part.options))
