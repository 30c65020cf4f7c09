"""Codes of experiments beside those of ``terms``: lines of their log, and why one cannot be planned."""

from enum import StrEnum


class NoteCode(StrEnum):
    """Lines of an experiment's log, beside the codes of verdicts; the facts that their words need."""

    CREATED = "created"
    CHANGED = "changed"
    COPIED = "copied"  # name: of the experiment that it was copied from
    STARTING = "starting"
    START_CANCELLED = "start_cancelled"
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
