"""What Andon learns with, as scikit-learn has it: arrays or DataFrames in, ``fit``, ``predict``, no plant file."""

from models.estimators.anomaly import AnomalyDetector
from models.estimators.failure_risk import FailureRiskClassifier

__all__ = ["AnomalyDetector", "FailureRiskClassifier"]
