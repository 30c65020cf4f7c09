import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0013_audit_api_key")]

    operations = [
        migrations.AddField(
            model_name="customeralias",
            name="changed_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed"),
        ),
        migrations.AddIndex(
            model_name="customeralias",
            index=models.Index(fields=["changed_at"], name="alias_changed"),
        ),
    ]
