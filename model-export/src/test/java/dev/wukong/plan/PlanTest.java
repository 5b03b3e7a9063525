package dev.wukong.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlanTest {
  private static final Traffic TRAFFIC = new Traffic(1000, 500, 10, 0.1, 1);
  private static final ModelSize MODEL =
      new ModelSize(
          List.of(new TableLoad(2_000_000, 16, 10, 0), new TableLoad(3_000_000, 16, 0, 17)),
          3,
          50_000,
          4);
  private static final Learning LEARNING = new Learning(1, 1.05, 60);
  private static final Machines MACHINES = new Machines(8, 0.5, 1, 0.5, 3, 24);

  private static Plan plan(Traffic traffic) {
    return Plan.of(traffic, MODEL, LEARNING, MACHINES);
  }

  /** What can be said without the measured costs. */
  @Test
  void of_knownParts_areCounted() {
    Plan plan = plan(TRAFFIC);
    assertThat(TRAFFIC.examples()).isCloseTo(11_000, within(1e-6));
    // The graph alone takes 500,000 candidates a second 4 us each.
    assertThat(plan.servingCores()).isBetween(2.0, 5.5);
    // 17 ids of 8 bytes and 3 numbers of 4 for each of 500 candidates, a thousand times a second.
    assertThat(plan.brokers().features())
        .isCloseTo(1000.0 * 500 * (17 * 8 + 3 * 4), Percentage.withPercentage(1));
    // Half of 5 million rows of 64 bytes, and what finds them.
    assertThat(plan.residentBytes()).isBetween(2.5e6 * 64, 2.5e6 * 128);
    assertThat(plan.storeBytes()).isGreaterThan(5e6 * 2 * 64);
    assertThat(plan.redisBytes()).isGreaterThan(5e6 * 2 * 64);
    assertThat(plan.trainerBytes()).isGreaterThan(plan.replicaBytes());
    // All dense weights with their optimizer's two numbers are in each commit.
    assertThat(plan.commit().bytes()).isGreaterThan(50_000 * 12 + plan.commit().rows() * 64);
    assertThat(plan.brokers().commits()).isEqualTo(plan.commit().bytes());
    double written = plan.brokers().features() + plan.brokers().labels() + plan.brokers().commits();
    assertThat(plan.brokers().written()).isCloseTo(written, within(1.0));
    assertThat(plan.brokers().diskBytes())
        .isCloseTo(written * 86_400 * 3, Percentage.withPercentage(0.01));
    assertThat(plan.brokers().read())
        .isCloseTo(
            written + plan.brokers().commits() * (followers(plan) - 1),
            Percentage.withPercentage(0.01));
  }

  private static int followers(Plan plan) {
    return plan.separate() ? plan.replicas() : plan.replicas() - 1;
  }

  /** Whether so many replicas, each asked alike, have the cores for it. */
  private static boolean suffices(Plan plan, int replicas, boolean separate, double each) {
    double asked = plan.servingCores() / replicas;
    double follows = replicas == 1 && !separate ? 0 : plan.followingCores();
    double busiest = separate ? follows : Math.max(follows, plan.trainingCores());
    return asked + busiest <= each + 1e-6;
  }

  /** With one replica away the others have the cores for all of it, and fewer had not. */
  @ParameterizedTest
  @CsvSource({
    "10, 8, false",
    "100, 8, false",
    "1000, 8, false",
    "5000, 2, true",
    "80000, 8, true",
    "100000, 64, false"
  })
  void of_anyTraffic_replicasSuffice(double requests, double cores, boolean separate) {
    Machines machines = new Machines(cores, 0.5, 1, 0.5, 3, 24);
    Plan plan = Plan.of(new Traffic(requests, 500, 1, 0.1, 0.1), MODEL, LEARNING, machines);
    double each = machines.cores() * machines.busy();
    int left = plan.replicas() - machines.spare();
    assertThat(plan.separate()).isEqualTo(separate);
    assertThat(suffices(plan, left, separate, each)).isTrue();
    // A machine fewer does not do, whoever trains; one that only trains is a machine, too.
    int fewer = left + (separate ? 1 : 0) - 1;
    assertThat(fewer > 0 && suffices(plan, fewer, false, each)).isFalse();
    assertThat(fewer > 1 && suffices(plan, fewer - 1, true, each)).isFalse();
  }

  @Test
  void of_twiceTheTraffic_takesTwiceTheCores() {
    Plan one = plan(TRAFFIC);
    Plan two = plan(new Traffic(2000, 500, 10, 0.1, 1));
    assertThat(two.servingCores())
        .isCloseTo(2 * one.servingCores(), Percentage.withPercentage(0.01));
    // One commit a second takes something, too.
    assertThat(two.trainingCores()).isBetween(1.8 * one.trainingCores(), 2 * one.trainingCores());
    // But frequent ids are in both.
    assertThat(two.commit().rows())
        .isGreaterThan(one.commit().rows())
        .isLessThan(2 * one.commit().rows());
  }

  @Test
  void of_aTenthIsLogged_theBrokersTakeATenthOfIt() {
    Plan all = plan(TRAFFIC);
    Plan some = plan(new Traffic(1000, 500, 10, 0.1, 0.1));
    assertThat(some.brokers().features())
        .isCloseTo(all.brokers().features() / 10, Percentage.withPercentage(0.01));
    assertThat(some.brokers().labels())
        .isCloseTo(all.brokers().labels() / 10, Percentage.withPercentage(0.01));
    assertThat(some.commit().rows()).isLessThan(all.commit().rows());
    assertThat(some.rowMicros()).isLessThan(all.rowMicros()).isGreaterThan(0.7 * all.rowMicros());
  }

  @Test
  void of_noLearning_commitsHaveDenseWeightsAlone() {
    Plan plan = plan(new Traffic(100, 500, 0, 0, 1));
    assertThat(plan.commit().rows()).isZero();
    assertThat(plan.commit().bytes()).isBetween(50_000 * 12.0, 50_000 * 12 + 100 * 500.0);
    assertThat(plan.trainingCores()).isLessThan(0.3);
  }

  @Test
  void of_toFollowTakesAllOfAReplica_saysSo() {
    Machines small = new Machines(0.1, 0.5, 0, 1, 3, 24);
    assertThatThrownBy(() -> Plan.of(TRAFFIC, MODEL, LEARNING, small))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("to follow commits takes")
        .hasMessageContaining("a replica has 0.0500 that may be busy");
  }
}
