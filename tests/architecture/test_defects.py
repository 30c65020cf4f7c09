"""Twenty-four defects that a merchandiser met in a first trial of the dashboard, and the tests that hold each off."""

import ast
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from tests.architecture.source import ROOT


class Defect(NamedTuple):
    """What must hold, and the tests that show it: ``file::name``, the file without ``tests/``."""

    holds: str
    tests: tuple[str, ...]


def row(holds: str, *tests: str) -> Defect:
    return Defect(holds, tests)


DEFECTS: Mapping[int, Defect] = {
    1: row(
        "A customer has one code that no id of the shop can be taken for, and the shop's id leads to that person.",
        "test_customer_codes.py::test_a_code_leads_back_to_its_key",
        "analytics/pages/test_search.py::test_an_id_leads_to_the_right_person_from_five_places",
        "analytics/pages/test_search.py::test_a_rule_for_a_typed_id_is_for_that_person",
        "analytics/queries/test_search.py::test_a_number_is_the_shops_id_alone",
        "journeys/test_pickers.py::test_a_customer_of_a_rule_is_chosen_by_the_shops_id_or_the_code",
        "journeys/test_storefront.py::test_events_of_a_visitor_change_the_next_slates",
    ),
    2: row(
        "Segments stay on every page while a run is going and after it was cancelled.",
        "loop/test_interests.py::test_what_is_live_knows_nothing_of_a_run_that_goes_on_or_was_cancelled",
        "journeys/test_segments_hold.py::test_segments_and_what_hangs_on_them_hold_through_a_run",
    ),
    3: row(
        "A form keeps a value that is gone, and says so: no rule for a segment becomes one for everybody.",
        "analytics/pages/rules/test_editor.py::test_a_segment_that_is_gone_stays_chosen_and_says_so",
        "analytics/pages/audiences/test_editor.py::test_what_is_gone_stays_chosen_and_says_so",
        "journeys/test_segments_hold.py::test_segments_and_what_hangs_on_them_hold_through_a_run",
    ),
    4: row(
        "Price tags, panels, lists before and after, and suggested slots go as far as the shop shows the list.",
        "services/rules/test_price_tags.py::test_only_the_slots_that_the_shop_asks_for_count",
        "services/review/test_why_not.py::test_a_pin_is_suggested_to_a_slot_that_the_shop_shows",
        "analytics/pages/test_shop_page.py::test_lists_before_and_after_go_as_far_as_the_shop_shows_them",
        "engine/evaluation/test_panel.py::test_goals_are_measured_in_the_first_places_alone",
    ),
    5: row(
        "The gate minds size and certainty, and revenue as much as accuracy; the headline says both.",
        "engine/evaluation/test_gate.py::test_a_certain_loss_counts_from_half_a_percent_on",
        "engine/evaluation/test_gate.py::test_a_candidate_that_earns_less_fails_however_accurate",
        "services/weights/test_blending.py::test_worse_weights_are_stopped_by_the_gate",
        "services/weights/test_blending.py::test_a_verdict_on_money_alone_says_so",
        "analytics/templatetags/test_weights.py::test_a_small_and_certain_loss_is_called_that",
        "analytics/templatetags/test_weights.py::test_a_draft_that_costs_money_does_not_read_as_good_as_live",
    ),
    6: row(
        "No item stands in two lists of a page, and what is similar is similar.",
        "api/test_recommend_page.py::test_no_item_stands_on_a_page_twice",
        "api/test_recommend_page.py::test_similar_is_similar_and_what_goes_with_it_is_another_thing",
        "serving/test_page.py::test_no_item_stands_in_two_slots_and_none_is_short",
        "analytics/pages/test_shop_page.py::test_a_page_shows_its_lists_in_order_and_nothing_twice",
        "journeys/test_storefront.py::test_no_item_stands_on_a_page_of_the_shop_twice",
    ),
    7: row(
        "Runs, and the guard before a version goes live, compare distances to the best simple list, not raw values.",
        "analytics/queries/runs/test_history.py::test_runs_are_newest_first_by_their_distance_to_the_best_simple_list",
        "loop/test_guard.py::test_weeks_that_are_harder_for_every_list_are_no_loss",
        "loop/test_guard.py::test_a_lead_that_shrank_beyond_chance_is_a_loss",
        "loop/test_guard.py::test_the_guard_compares_leads_and_not_what_was_reached",
    ),
    8: row(
        "A segment goes on where half of its members do; where it is gone, the run, the guard and the linter say so.",
        "engine/interests/test_segment.py::test_a_segment_goes_on_in_the_one_that_has_half_of_its_members",
        "engine/interests/test_segment.py::test_of_divisions_that_are_as_good_the_one_before_goes_on",
        "loop/test_interests.py::test_a_segment_whose_members_part_is_gone_and_where_rules_hang_on_it_the_guard_waits",
        "analytics/queries/segments/test_fates.py::test_the_runs_page_shows_it_before_the_version_is_live",
        "services/rules/test_linter.py::test_a_segment_that_is_gone_is_nobody",
    ),
    9: row(
        "Pickers follow the arrows, match words in any order, and offer first what sells.",
        "journeys/test_pickers.py::test_an_item_is_chosen_with_the_arrows",
        "journeys/test_pickers.py::test_escape_nothing_and_an_enter_that_waits",
        "journeys/test_pickers.py::test_a_value_of_a_rule_is_chosen_and_the_list_stays_closed",
        "analytics/queries/test_search.py::test_words_match_in_any_order",
        "analytics/queries/test_search.py::test_what_sells_comes_first_and_what_has_no_price_or_sells_nothing_last",
    ),
    10: row(
        "Overview begins with revenue, and every figure has its explanation by key, mouse and touch.",
        "analytics/pages/overview/test_summary.py::test_the_three_answers_stand_in_order",
        "analytics/pages/overview/test_summary.py::test_revenue_of_a_replay_says_what_it_cannot_tell",
        "analytics/templatetags/test_help.py::test_every_figure_has_a_sentence_and_an_example_behind_a_button",
        "journeys/test_journey.py::test_a_question_mark_opens_its_text_beside_itself",
    ),
    11: row(
        "A demo whose data end raises no alarm but explains itself, and the way on is seen to be one.",
        "analytics/queries/overview/test_alerts.py::test_where_the_demo_s_data_end_is_explained_and_no_alarm",
        "analytics/pages/overview/test_summary.py::test_alerts_say_what_to_do",
        "journeys/test_pages.py::test_links_of_alerts_are_underlined",
    ),
    12: row(
        "Activity tells in sentences what was done.",
        "analytics/pages/access/test_activity.py::test_what_was_done_in_sentences_of_the_reader",
        "analytics/pages/access/test_activity.py::test_weights_are_told_recommender_by_recommender",
        "analytics/pages/access/test_activity.py::test_no_entry_is_told_in_the_form_of_a_machine",
    ),
    13: row(
        "In Chinese no model, field or column is called by a counting word, and an empty choice is Chinese.",
        "admin/test_pages.py::test_lists_are_named_without_the_counting_word_of_their_rows",
        "admin/test_pages.py::test_no_name_of_a_model_a_field_or_a_column_has_a_counting_word",
        "admin/test_pages.py::test_the_empty_choice_of_a_list_is_in_the_readers_language",
    ),
    14: row(
        "The page of an invitation says for whom it is.",
        "services/access/test_invitations.py::test_from_the_invitation_to_the_first_login",
    ),
    15: row(
        "An import that is no table is called what it is, and no folder of the server is told.",
        "analytics/pages/imports/test_imports.py::test_a_refused_file_is_named_and_removed_and_no_folder_told",
        "analytics/pages/imports/test_imports.py::test_a_refused_file_names_no_folder_and_can_be_corrected_and_sent_again",
        "analytics/pages/imports/test_limits.py::test_a_file_that_is_no_table_is_refused_at_its_field",
    ),
    16: row(
        "The API's version of weights is the number of the pages, and each is found by the other.",
        "services/weights/test_publishing.py::test_the_api_answers_with_a_published_draft_as_its_preview_did",
        "services/weights/test_publishing.py::test_rolling_back_is_a_new_version_and_gives_the_former_answer",
        "analytics/pages/test_search.py::test_versions_are_found_by_the_numbers_of_the_pages",
    ),
    17: row(
        "Changes are told in per cent of live wherever they stand; each share says what it is of, and only Quality has "
        "coverage.",
        "analytics/templatetags/test_weights.py::test_a_change_is_told_in_percent_of_live",
        "analytics/pages/rules/test_overview.py::test_measured_effects_stand_beside_the_rules",
        "analytics/pages/test_shop_page.py::test_lists_before_and_after_go_as_far_as_the_shop_shows_them",
        "analytics/pages/overview/test_summary.py::test_the_three_answers_stand_in_order",
        "analytics/pages/test_catalogue.py::test_health_counts_what_is_missing",
    ),
    18: row(
        "What is over serves nothing, a run's head follows its stages, and times leave out what went before.",
        "analytics/pages/rules/test_overview.py::test_a_book_of_which_nothing_is_in_force_says_so",
        "analytics/pages/test_runs.py::test_the_page_is_loaded_again_when_a_waiting_run_begins",
        "analytics/queries/runs/test_history.py::test_the_time_for_which_a_run_rested_does_not_count",
        "loop/test_runs.py::test_one_run_leaves_a_live_version_with_figures_and_weights",
    ),
    19: row(
        "The first published rules can be rolled back to none.",
        "services/rules/test_books.py::test_the_first_book_is_rolled_back_to_an_empty_one",
        "analytics/pages/rules/test_overview.py::test_the_first_book_can_be_rolled_back",
    ),
    20: row(
        "A refused publish leads to the box to tick; the pencil stays where it is, and its field has the focus.",
        "journeys/test_focus.py::test_a_refused_publish_leads_to_the_box_that_is_to_be_ticked",
        "journeys/test_focus.py::test_the_field_of_a_new_name_has_the_focus_and_its_pencil_stays",
    ),
    21: row(
        "Texts of charts stand apart from one another and from marks, and a legend is lower than its bars.",
        "journeys/test_layout.py::test_numbers_beside_the_bars_of_what_is_lost_stand_apart",
        "journeys/test_layout.py::test_the_legend_of_what_came_in_is_lower_than_its_bars",
        "journeys/test_layout.py::test_texts_of_maps_run_into_no_mark",
        "analytics/charts/test_charts.py::test_arrivals_tell_the_five_most_frequent_kinds_apart",
        "analytics/charts/test_weights.py::test_the_number_beside_a_bar_has_room_where_all_go_to_the_left",
    ),
    22: row(
        "An address breaks nowhere; the bar at the top and the placements take one line each.",
        "journeys/test_layout.py::test_a_long_address_breaks_neither_in_the_rail_nor_in_the_list_of_rules",
        "journeys/test_layout.py::test_the_bar_at_the_top_and_the_placements_take_a_line_each",
    ),
    23: row(
        "What to fix first goes by what it touches, and leads to the field.",
        "analytics/queries/catalogue/test_health.py::test_severity_goes_by_slots_and_items_touched",
        "analytics/queries/catalogue/test_health.py::test_the_gravest_insight_comes_first",
        "journeys/test_own_frame.py::test_a_fault_is_found_and_mended_in_three_clicks",
    ),
    24: row(
        "An import that was undone says so, and how many of its items stay.",
        "analytics/pages/imports/test_imports.py::test_a_file_is_imported_as_previewed_and_undone",
        "analytics/pages/imports/test_imports.py::test_undoing_an_import_leaves_items_that_were_changed_since",
    ),
}  # fmt: skip


@cache
def names_in(file: str) -> frozenset[str]:
    """Names of the tests of a file; none where there is no such file."""
    path = ROOT / "tests" / file
    tree = ast.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef))


def test_every_defect_has_its_row() -> None:
    assert list(DEFECTS) == list(range(1, 25))
    assert [number for number, defect in DEFECTS.items() if not (defect.holds and defect.tests)] == []


def test_every_test_that_holds_a_defect_off_exists() -> None:
    named = [(number, *test.split("::")) for number, defect in DEFECTS.items() for test in defect.tests]
    assert [each for each in named if not each[2].startswith("test_") or each[2] not in names_in(each[1])] == []
