package dev.wukong.serving;

import dev.wukong.serving.gating.GateMode;
import dev.wukong.serving.gating.GatePolicy;
import java.time.Duration;
import java.util.Optional;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * When what was learned is visible.
 *
 * @param mode {@code direct}, {@code gated} or {@code shadow}
 * @param every time between promotions at least
 * @param patience so long a verdict is waited for
 * @param worse normalized entropy by which who is promoted may be worse
 * @param harm normalized entropy by which who is taken back is worse
 * @param rowNorm length of a row at most
 * @param jump logits by which a golden row may move in a commit
 * @param failures how often in a row training is taken back before it halts
 * @param sliceBy a feature by whose values figures are given apart; empty: none
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
    @DefaultValue("") String sliceBy) {
  private static final int MOST_FAILURES = 1000;

  public GateProperties {
    requirePositive("every", every);
    requirePositive("patience", patience);
    SettingException.require(
        patience.compareTo(every) > 0,
        "wukong.online.gate.patience",
        patience,
        "is more than wukong.online.gate.every, which is %s".formatted(every));
    requirePositive("worse", worse);
    requirePositive("harm", harm);
    requirePositive("row-norm", rowNorm);
    requirePositive("jump", jump);
    SettingException.between("wukong.online.gate.failures", failures, 1, MOST_FAILURES);
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
        sliceBy.isEmpty() ? Optional.empty() : Optional.of(sliceBy));
  }
}
