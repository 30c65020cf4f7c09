"""Codes of experiments beside those of ``terms``: lines of their log, and why one cannot be planned."""

from enum import StrEnum


class NoteCode(StrEnum):
    """Lines of an experiment's log, beside the codes of verdicts; the facts that their words need."""

    CREATED = "created"
    CHANGED = "changed"
    COPIED = "copied"  # name: of the experiment that it was copied from
    STARTING = "starting"
    START_CANCELLED = "start_cancelled"
    START_FAILED = "start_failed"  # why: a StartRefusal, and its facts; revision: of the draft that it is again
    STARTED = "started"  # traffic, days
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"
    SHIPPED = "shipped"  # arm
    WIDENED = "widened"  # before, after: shares of the traffic
    SPLIT_BROKEN = "split_broken"  # seen, planned: shares by arm
    ARM_OUT = "arm_out"  # arm
    ARM_HARMED = "arm_harmed"  # arm, metric, low, high: shares of the control's; a bandit paused it for good
    ARM_PINNED = "arm_pinned"  # arm, share
    ARM_UNPINNED = "arm_unpinned"  # arm
    FLOOR_SET = "floor_set"  # arm, share
    SHARES_SET = "shares_set"  # moves: [{arm, before, after, chance, mean, other}], metric, at_floor: [arm]
    SHARES_FROZEN = "shares_frozen"  # a bandit was paused
    LATE_CHANGE = "late_change"  # arm, metric, change: in the metric's unit
    MODEL_LACKS = "model_lacks"  # arm, recommender, share
    SEGMENT_GONE = "segment_gone"  # segments: [number]
    DEFAULT_MOVED = "default_moved"  # before, after: what the versions are called


class PlanRefusal(StrEnum):
    """Why there is no plan of an experiment; the facts that the words need."""

    NOTHING_KNOWN = "nothing_known"  # nobody was answered there in four weeks
    TOO_NEW = "too_new"  # days, more: that are recorded, and are still needed
    NOTHING_HAPPENED = "nothing_happened"  # metric, click_days: that clicks need, or null
    TOO_LONG = "too_long"  # days (null: never), most, click_days, arms, traffic


class StartStep(StrEnum):
    """What a worker does before the first person is in an experiment; the facts of its progress."""

    LISTS = "lists"  # done, of: customers whose lists are compared
    PAST = "past"  # the last four weeks are measured


class StartRefusal(StrEnum):
    """Why an experiment was not started; the facts that the words need."""

    SAME_LISTS = "same_lists"  # arms: [position], asked: customers, who all get what they get without it
    GONE = "gone"  # an arm refers to what is no longer there
    ERROR = "error"  # error: its name
