import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0012_api_key_origins")]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="api_key",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="audit",
                to="recommendations.apikey",
                verbose_name="API key",
            ),
        ),
    ]
