from django.db import migrations, models

HIGHEST = """
    UPDATE recommendations_blend AS blend SET last_number = highest.number
    FROM (SELECT blend_id, max(number) AS number FROM recommendations_blendweights GROUP BY blend_id) AS highest
    WHERE highest.blend_id = blend.id
"""


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0008_dashboard")]

    operations = [
        migrations.AddField(
            model_name="blend",
            name="last_number",
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name="last version"),
        ),
        migrations.RunSQL(HIGHEST, migrations.RunSQL.noop),
    ]
