"""How good: judges, galleries, scores, intervals, and what they add up to."""

from tutorial_lib.evaluation.captioned_images import CaptionedImages
from tutorial_lib.evaluation.card_tables import (
    fill_page,
    format_tables,
    load_evaluations,
)
from tutorial_lib.evaluation.deviations import (
    Deviation,
    describe_deviation,
    measure_deviations,
    measure_mean_deviation,
)
from tutorial_lib.evaluation.evaluation import (
    Evaluation,
    JudgedImages,
    evaluate_words,
)
from tutorial_lib.evaluation.failures import Failure, load_failures
from tutorial_lib.evaluation.fidelity import (
    Fidelity,
    FidelityEncoders,
    FidelityRow,
    compare_with_each_other,
    compare_with_real,
    load_fidelity_encoders,
    measure_fidelity,
)
from tutorial_lib.evaluation.fidelity_table import format_fidelity
from tutorial_lib.evaluation.gallery import (
    Gallery,
    GalleryBuilder,
    embed_concept,
)
from tutorial_lib.evaluation.image_encoders import (
    ImageEncoder,
    embed_texts_with_encoder,
    embed_with_encoder,
    load_encoder,
)
from tutorial_lib.evaluation.judge_networks import (
    AttributeJudge,
    EmbeddingJudge,
)
from tutorial_lib.evaluation.judges import (
    Judges,
    embed_with_judge,
    load_judges,
    read_attributes,
    save_judges,
)
from tutorial_lib.evaluation.lora_comparison import (
    LoraComparison,
    LoraPoint,
    list_named_patterns,
    load_lora_comparison,
    run_lora_comparison,
)
from tutorial_lib.evaluation.mean_vectors import measure_drift
from tutorial_lib.evaluation.model_card import write_card
from tutorial_lib.evaluation.ordering import make_hard_negatives
from tutorial_lib.evaluation.pairs import WearerGalleryBuilder
from tutorial_lib.evaluation.rows import BASELINES, OFF_ROWS, ROWS, Subject
from tutorial_lib.evaluation.ruler import Shares
from tutorial_lib.evaluation.scores import (
    identity,
    measure_cosines,
    prompt_score,
    rank_truth,
)
from tutorial_lib.evaluation.sharpness import measure_sharpness
from tutorial_lib.evaluation.statistics import (
    Share,
    bootstrap_interval,
    estimate_mean,
    estimate_share,
    format_cosine,
    format_share,
    paired_interval,
)
from tutorial_lib.evaluation.sweep import Sweep, load_sweep, run_sweep
from tutorial_lib.evaluation.sweep_points import (
    SWEEPS,
    learn_with,
    measure_point,
)
from tutorial_lib.evaluation.true_concepts import (
    load_truth,
    render_training_images,
)
from tutorial_lib.evaluation.unseen_concepts import evaluate_seeds

__all__ = [
    "AttributeJudge",
    "BASELINES",
    "CaptionedImages",
    "Deviation",
    "EmbeddingJudge",
    "Evaluation",
    "Failure",
    "Fidelity",
    "FidelityEncoders",
    "FidelityRow",
    "Gallery",
    "GalleryBuilder",
    "ImageEncoder",
    "JudgedImages",
    "Judges",
    "LoraComparison",
    "LoraPoint",
    "OFF_ROWS",
    "ROWS",
    "SWEEPS",
    "Share",
    "Shares",
    "Subject",
    "Sweep",
    "WearerGalleryBuilder",
    "bootstrap_interval",
    "compare_with_each_other",
    "compare_with_real",
    "describe_deviation",
    "embed_concept",
    "embed_texts_with_encoder",
    "embed_with_encoder",
    "embed_with_judge",
    "estimate_mean",
    "estimate_share",
    "evaluate_seeds",
    "evaluate_words",
    "fill_page",
    "format_cosine",
    "format_fidelity",
    "format_share",
    "format_tables",
    "identity",
    "learn_with",
    "list_named_patterns",
    "load_encoder",
    "load_evaluations",
    "load_failures",
    "load_fidelity_encoders",
    "load_judges",
    "load_lora_comparison",
    "load_sweep",
    "load_truth",
    "make_hard_negatives",
    "measure_cosines",
    "measure_deviations",
    "measure_drift",
    "measure_fidelity",
    "measure_mean_deviation",
    "measure_point",
    "measure_sharpness",
    "paired_interval",
    "prompt_score",
    "rank_truth",
    "read_attributes",
    "render_training_images",
    "run_lora_comparison",
    "run_sweep",
    "save_judges",
    "write_card",
]
