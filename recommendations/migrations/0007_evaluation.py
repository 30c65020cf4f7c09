import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0006_promotion"),
    ]

    operations = [
        migrations.AddField(
            model_name="blend",
            name="second_stage",
            field=models.BooleanField(
                default=False,
                help_text="Turns train and measure a second stage; it gets weight only where it proves better.",
                verbose_name="second stage",
            ),
        ),
        migrations.AddField(
            model_name="blendweights",
            name="gate",
            field=models.JSONField(
                default=dict,
                help_text="How it did on the test window against what it would replace.",
                verbose_name="gate",
            ),
        ),
        migrations.AddField(
            model_name="blendweights",
            name="promotion",
            field=models.FloatField(
                default=0,
                help_text="How much the promotion plan counts: the exponent of an item's lift; 0: not at all.",
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="promotions",
            ),
        ),
        migrations.AddConstraint(
            model_name="blendweights",
            constraint=models.CheckConstraint(
                condition=models.Q(("promotion__gte", 0)), name="promotion_exponent_is_not_negative"
            ),
        ),
        migrations.AddField(
            model_name="evaluationrun",
            name="overlap",
            field=models.JSONField(
                default=dict,
                help_text="Names of the rows, and for every two of them the mean share of the top 10 that both show.",
                verbose_name="overlap",
            ),
        ),
        migrations.AddField(
            model_name="measurement",
            name="against",
            field=models.JSONField(
                default=dict,
                help_text="Metric → difference to the hybrid that is served, paired by customer: value, low, high.",
                verbose_name="against the hybrid",
            ),
        ),
        migrations.AddField(
            model_name="measurement",
            name="peak_mb",
            field=models.PositiveIntegerField(null=True, verbose_name="peak memory, MB"),
        ),
        migrations.AddField(
            model_name="measurement",
            name="slices",
            field=models.JSONField(
                default=list,
                help_text="Kind and key of a part of the customers, how many they are, metrics.",
                verbose_name="slices",
            ),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="gate",
            field=models.JSONField(
                default=dict,
                help_text="Per task: how it did on the test window against what it would replace.",
                verbose_name="gate",
            ),
        ),
    ]
