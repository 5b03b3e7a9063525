package dev.wukong.cli;

import dev.wukong.plan.Learning;
import dev.wukong.plan.Machines;
import dev.wukong.plan.Plan;
import dev.wukong.plan.Traffic;
import java.io.PrintWriter;
import java.math.BigDecimal;

/**
 * A plan as values of the chart.
 *
 * @param model the name of the model that learns
 */
record PlannedValues(
    String model, Traffic traffic, Learning learning, Machines machines, Plan plan) {
  /** What a limit has beyond what is planned: collections, loads of a next version. */
  private static final double MARGIN = 1.25;

  private static final long STEP = 256L << 20;

  /** Of a processor, which training has while requests are answered unless it is told. */
  private static final double SHARE = 0.5;

  void print(PrintWriter out) {
    out.println("# values.yaml");
    out.println("replicas: " + plan.replicas());
    out.println("residentRows: " + megabytes(plan.residentBytes()) + "MB");
    // Any replica may be the one that trains, unless a trainer of its own does.
    double memory = plan.separate() ? plan.replicaBytes() : plan.trainerBytes();
    out.println("resources: " + resources(machines.cores(), memory));
    out.printf("storage: {size: %dGi}%n", gibibytes(plan.storeBytes()));
    if (plan.separate() || plan.replicas() > 1) {
      out.printf(
          "cluster: {enabled: true, kafka: {addresses: [], partitions: %d, replication: %d}} #"
              + " addresses: those of your brokers%n",
          plan.brokers().partitions(), machines.replication());
    }
    if (plan.separate()) {
      out.printf(
          "trainer: {separate: true, resources: %s, config: {wukong: {online: {share: 1}}}}%n",
          resources(plan.trainerCores(machines), plan.trainerBytes()));
    }
    out.printf(
        "config: {wukong: {online: {model: %s, sample: %s, commit-every: %dms%s}}}%n",
        model,
        new BigDecimal(Double.toString(traffic.logged())).stripTrailingZeros().toPlainString(),
        Math.round(1000 * learning.commitSeconds()),
        plan.separate() ? "" : share());
  }

  private static String resources(double cores, double memory) {
    return "{requests: {cpu: \"%s\", memory: %2$dMi}, limits: {memory: %2$dMi}}"
        .formatted(PlanCommand.number(cores), megabytes(MARGIN * memory));
  }

  /** What training is to have of a processor, where that is more than it has anyway. */
  private String share() {
    double wanted = MARGIN * plan.trainingCores();
    return wanted <= SHARE ? "" : ", share: " + PlanCommand.number(Math.min(1, wanted));
  }

  /** In whole steps. */
  private static long megabytes(double bytes) {
    return Math.max(1, (long) Math.ceil(bytes / STEP)) * (STEP >> 20);
  }

  private static long gibibytes(double bytes) {
    return Math.max(1, (long) Math.ceil(MARGIN * bytes / (1 << 30)));
  }
}
