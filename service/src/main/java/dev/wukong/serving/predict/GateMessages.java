package dev.wukong.serving.predict;

import dev.wukong.proto.v1.GateFigures;
import dev.wukong.proto.v1.GateStatus;
import dev.wukong.proto.v1.HealthyState;
import dev.wukong.proto.v1.ModelFigures;
import dev.wukong.serving.gating.Figures;
import dev.wukong.serving.gating.GateReport;
import dev.wukong.serving.gating.Scorer;
import org.jspecify.annotations.Nullable;

/** How a gate stands, as the protocol says it. */
final class GateMessages {
  private GateMessages() {}

  static GateStatus of(GateReport report) {
    GateStatus.Builder gate =
        GateStatus.newBuilder()
            .setMode(
                switch (report.mode()) {
                  case DIRECT -> GateStatus.Mode.MODE_DIRECT;
                  case GATED -> GateStatus.Mode.MODE_GATED;
                  case CANARY -> GateStatus.Mode.MODE_CANARY;
                  case SHADOW -> GateStatus.Mode.MODE_SHADOW;
                })
            .setPhase(
                switch (report.phase()) {
                  case OPEN -> GateStatus.Phase.PHASE_OPEN;
                  case HOLDING -> GateStatus.Phase.PHASE_HOLDING;
                  case QUARANTINED -> GateStatus.Phase.PHASE_QUARANTINED;
                })
            .setVerdict(
                switch (report.verdict()) {
                  case GOOD -> GateStatus.Verdict.VERDICT_GOOD;
                  case OPEN -> GateStatus.Verdict.VERDICT_OPEN;
                  case BAD -> GateStatus.Verdict.VERDICT_BAD;
                  case STRANGE -> GateStatus.Verdict.VERDICT_STRANGE;
                })
            .setShare(report.share())
            .setReason(report.reason())
            .setFailures(report.failures());
    for (GateReport.State state : report.healthy()) {
      gate.addHealthy(
          HealthyState.newBuilder()
              .setNumber(state.number())
              .setAtMs(state.atMs())
              .setDense(state.dense())
              .setExamples(state.examples()));
    }
    report.figures().forEach(figures -> gate.addFigures(of(figures)));
    return gate.build();
  }

  private static GateFigures of(Figures figures) {
    return GateFigures.newBuilder()
        .setTask(figures.task())
        .setSlice(figures.slice())
        .setExamples(figures.examples())
        .setPositives(figures.positives())
        .setHealthy(of(figures.by().get(Scorer.HEALTHY)))
        .setCandidate(of(figures.by().get(Scorer.CANDIDATE)))
        .setServed(of(figures.by().get(Scorer.SERVED)))
        .setWorse(figures.worse())
        .setWorseLow(figures.worseLow())
        .setWorseHigh(figures.worseHigh())
        .build();
  }

  private static ModelFigures of(Figures.@Nullable Of of) {
    if (of == null) {
      return ModelFigures.getDefaultInstance();
    }
    return ModelFigures.newBuilder()
        .setNormalizedEntropy(of.normalizedEntropy())
        .setLow(of.low())
        .setHigh(of.high())
        .setCalibration(of.calibration())
        .setAuc(of.area())
        .build();
  }
}
