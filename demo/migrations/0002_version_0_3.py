"""The A/A that runs with the replay."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("demo", "0001_initial"), ("recommendations", "0003_version_0_3")]
    operations = [
        migrations.AddField("replay", "experiment", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="recommendations.experiment", verbose_name="the A/A that ran with it")),
    ]
