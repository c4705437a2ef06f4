"""What was measured of one side, over several rounds."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Measured:
    answers: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    milliseconds: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds

    @property
    def cpu_milliseconds(self) -> float:
        """Of an answer."""
        return 1000 * self.cpu / self.answers

    def percentile(self, share: float) -> float:
        return sorted(self.milliseconds)[int(share * (len(self.milliseconds) - 1))]
