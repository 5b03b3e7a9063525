package dev.wukong.serving;

import dev.wukong.serving.gating.GateMode;
import dev.wukong.serving.gating.GatePolicy;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * When what was learned is visible.
 *
 * @param mode {@code direct}, {@code gated}, {@code canary} or {@code shadow}
 * @param every time between promotions at least
 * @param patience so long a verdict is waited for
 * @param worse normalized entropy by which who is promoted may be worse
 * @param harm normalized entropy by which who is taken back is worse
 * @param rowNorm length of a row at most
 * @param jump logits by which a golden row may move in a commit
 * @param failures how often in a row training is taken back before it halts
 * @param sliceBy a feature by whose values figures are given apart; empty: none
 * @param canary shares of the requests that what was learned answers before all
 */
public record GateProperties(
    @DefaultValue("direct") GateMode mode,
    @DefaultValue("1m") Duration every,
    @DefaultValue("30m") Duration patience,
    @DefaultValue("0.0005") double worse,
    @DefaultValue("0.002") double harm,
    @DefaultValue("100") double rowNorm,
    @DefaultValue("2") double jump,
    @DefaultValue("3") int failures,
    @DefaultValue("") String sliceBy,
    @DefaultValue({"0.01", "0.1"}) List<Double> canary) {
  private static final int MOST_FAILURES = 1000;
  private static final int MOST_SHARES = 10;

  public GateProperties {
    requirePositive("every", every);
    requirePositive("patience", patience);
    SettingException.require(
        patience.compareTo(every) > 0,
        "wukong.online.gate.patience",
        patience,
        "is more than wukong.online.gate.every (%s)".formatted(SettingException.time(every)));
    requirePositive("worse", worse);
    requirePositive("harm", harm);
    requirePositive("row-norm", rowNorm);
    requirePositive("jump", jump);
    SettingException.between("wukong.online.gate.failures", failures, 1, MOST_FAILURES);
    canary = List.copyOf(canary);
    SettingException.require(
        ascend(canary),
        "wukong.online.gate.canary",
        canary,
        "is 1 to %d shares above 0 and at most 1, each more than the one before"
            .formatted(MOST_SHARES));
  }

  private static boolean ascend(List<Double> shares) {
    double before = 0;
    for (double share : shares) {
      if (!(share > before && share <= 1)) {
        return false;
      }
      before = share;
    }
    return !shares.isEmpty() && shares.size() <= MOST_SHARES;
  }

  private static void requirePositive(String name, Duration time) {
    SettingException.require(
        time.isPositive(), "wukong.online.gate." + name, time, "is more than 0s");
  }

  private static void requirePositive(String name, double value) {
    SettingException.require(
        value > 0 && Double.isFinite(value),
        "wukong.online.gate." + name,
        value,
        "is a number above 0");
  }

  GatePolicy policy() {
    return new GatePolicy(
        mode,
        every,
        patience,
        worse,
        harm,
        rowNorm,
        jump,
        failures,
        sliceBy.isEmpty() ? Optional.empty() : Optional.of(sliceBy),
        canary);
  }
}
