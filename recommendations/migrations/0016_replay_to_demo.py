"""The replay goes to the app of the demo, with its row; a shop that is no demo keeps no table of it."""

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def hand_over(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if settings.DEMO:
        editor.execute("ALTER TABLE recommendations_replay RENAME TO demo_replay")
        editor.execute("ALTER SEQUENCE recommendations_replay_id_seq RENAME TO demo_replay_id_seq")
    else:
        editor.execute("DROP TABLE recommendations_replay")


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0015_session_blend")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel("Replay")],
            database_operations=[migrations.RunPython(hand_over, migrations.RunPython.noop)],
        ),
    ]
