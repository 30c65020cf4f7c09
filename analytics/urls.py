"""Addresses of the dashboard; filters are plain query parameters, so that every view can be linked to."""

from django.urls import path, register_converter

from analytics.pages import runs, search
from analytics.pages.access import account, activity, login, password, preferences, second_factor
from analytics.pages.catalogue import health, item, quarantine, sources, suspicious
from analytics.pages.customer import actions, change, listing, profile, why, why_not
from analytics.pages.overview import arrivals, summary
from analytics.pages.quality import figures, judgements
from analytics.pages.rules import books, editor, effect
from analytics.pages.rules import overview as rules_overview
from analytics.pages.segments import overview as segments_overview
from analytics.pages.segments import together
from analytics.pages.weights import changes, desk, suggestion
from analytics.parameters import CustomerConverter

register_converter(CustomerConverter, "customer")

urlpatterns = [
    path("", summary.overview, name="overview"),
    path("events/", arrivals.events, name="event_list"),
    path("answers/", arrivals.answers, name="answer_list"),
    path("answers/<str:recommendation>/", arrivals.slate, name="slate"),
    path("attributed/", arrivals.attributed, name="attributed_list"),
    path("customers/", listing.customers, name="customers"),
    path("customers/random/", listing.random_customer, name="random_customer"),
    path("customers/most-changed/", listing.most_changed, name="most_changed"),
    path("customers/items/", profile.item_suggestions, name="item_suggestions"),
    path("customers/<customer:pk>/", profile.customer, name="customer"),
    path("customers/<customer:pk>/why/<int:item>/", why.why, name="why"),
    path("customers/<customer:pk>/why-not/<int:item>/", why_not.why_not_panel, name="why_not"),
    path("customers/<customer:pk>/why-not/<int:item>/price/", change.change_price, name="change_price"),
    path("customers/<customer:pk>/why-not/<int:item>/apply/", change.apply_change, name="apply_change"),
    path("customers/<customer:pk>/judge/<int:item>/", actions.judge_card, name="judge"),
    path("customers/<customer:pk>/rule/<int:item>/", actions.rule_from_card, name="rule_from_card"),
    path("customers/<customer:pk>/set-aside/", actions.set_aside, name="set_aside_customer"),
    path("customers/rules/<int:rule>/undo/", actions.undo_rule_from_card, name="undo_rule_from_card"),
    path("customers/id/<path:typed>/", profile.by_id, name="customer_by_id"),
    path("weights/", desk.weights, name="weights"),
    path("weights/effect/", desk.weights_effect, name="weights_effect"),
    path("weights/rest/", desk.weights_rest, name="weights_rest"),
    path("weights/save/", changes.save_weights, name="save_weights"),
    path("weights/discard/", changes.discard_weights, name="discard_weights"),
    path("weights/publication/", changes.weights_publication, name="weights_publication"),
    path("weights/publish/", changes.publish_weights, name="publish_weights"),
    path("weights/<int:version>/roll-back/", changes.weights_roll_back, name="weights_roll_back"),
    path("weights/<int:version>/rolled-back/", changes.roll_back_weights, name="roll_back_weights"),
    path("weights/suggestion/", suggestion.weights_suggestion, name="weights_suggestion"),
    path("weights/suggest/", suggestion.suggest_weights, name="suggest_weights"),
    path("weights/suggestion/<uuid:key>/", suggestion.suggestion_progress, name="suggestion_progress"),
    path("weights/suggestion/<uuid:key>/cancel/", suggestion.cancel_suggestion, name="cancel_suggestion"),
    path("rules/", rules_overview.rules, name="rules"),
    path("rules/new/", editor.new_rule, name="new_rule"),
    path("rules/findings/", rules_overview.rule_findings, name="rule_findings"),
    path("rules/order/", rules_overview.order_rules, name="order_rules"),
    path("rules/conditions/<slug:builder>/", editor.rule_conditions, name="rule_conditions"),
    path("rules/values/<slug:builder>/<int:row>/", editor.rule_values, name="rule_values"),
    path("rules/effect/", effect.rule_effect, name="rule_effect"),
    path("rules/proposal/", books.proposal_effect, name="proposal_effect"),
    path("rules/publish/", books.publish, name="publish_rules"),
    path("rules/withdraw/", books.withdraw, name="withdraw_rules"),
    path("rules/versions/", books.rule_books, name="rule_books"),
    path("rules/roll-back/", books.roll_back, name="roll_back_rules"),
    path("rules/<int:pk>/", editor.rule, name="rule"),
    path("rules/<int:pk>/history/", editor.rule_history, name="rule_history"),
    path("rules/<int:pk>/effect/", effect.saved_rule_effect, name="saved_rule_effect"),
    path("rules/<int:pk>/duplicate/", rules_overview.duplicate, name="duplicate_rule"),
    path("rules/<int:pk>/archive/", rules_overview.archive, name="archive_rule"),
    path("rules/<int:pk>/restore/", rules_overview.restore, name="restore_rule"),
    path("quality/", figures.quality, name="quality"),
    path("quality/wrong/", judgements.wrong_items_panel, name="wrong_items"),
    path("catalogue/", health.catalogue, name="catalogue"),
    path("catalogue/items/", health.items, name="catalogue_items"),
    path("catalogue/sources/", sources.sources, name="sources"),
    path("catalogue/suspicious/", suspicious.suspicious, name="suspicious"),
    path("catalogue/suspicious/key/", suspicious.set_aside_sent, name="set_aside_sent"),
    path("catalogue/suspicious/<int:pk>/", quarantine.quarantine, name="quarantine"),
    path("catalogue/suspicious/<int:pk>/end/", quarantine.end_quarantine, name="end_quarantine"),
    path("catalogue/suspicious/<int:pk>/restore/", quarantine.restore_quarantine, name="restore_quarantine"),
    path("catalogue/suspicious/<int:pk>/delete/", quarantine.delete_quarantine, name="delete_quarantine"),
    path("catalogue/<int:pk>/", item.item, name="item"),
    path("segments/", segments_overview.segments, name="segments"),
    path("segments/together/", together.together, name="together"),
    path("segments/<int:number>/", segments_overview.segment, name="segment"),
    path("segments/<int:number>/rename/", segments_overview.rename, name="rename_segment"),
    path("runs/", runs.runs, name="runs"),
    path("runs/start/", runs.start_run, name="start_run"),
    path("runs/<uuid:pk>/", runs.run, name="run"),
    path("runs/<uuid:pk>/progress/", runs.run_progress, name="run_progress"),
    path("runs/<uuid:pk>/cancel/", runs.cancel_run, name="cancel_run"),
    path("runs/<uuid:pk>/resume/", runs.resume_run, name="resume_run"),
    path("runs/<uuid:pk>/make-live/", runs.make_live, name="make_live"),
    path("activity/", activity.activity, name="activity"),
    path("search/", search.search, name="search"),
    path("account/", account.account, name="account"),
    path("account/password/", account.change_password, name="change_password"),
    path("account/sessions/end/", account.end_sessions, name="end_sessions"),
    path("account/second-factor/", second_factor.second_factor, name="second_factor"),
    path("account/second-factor/codes/", second_factor.renew_codes, name="renew_codes"),
    path("account/second-factor/remove/", second_factor.remove_second_factor, name="remove_second_factor"),
    path("login/", login.Login.as_view(), name="login"),
    path("login/code/", login.login_code, name="login_code"),
    path("logout/", login.Logout.as_view(), name="logout"),
    path("password/", password.Forgotten.as_view(), name="password_reset"),
    path("password/sent/", password.Sent.as_view(), name="password_reset_done"),
    path("password/<uidb64>/<token>/", password.Choose.as_view(), name="password_reset_confirm"),
    path("preferences/", preferences.preferences, name="preferences"),
]
