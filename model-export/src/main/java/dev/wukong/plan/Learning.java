package dev.wukong.plan;

/**
 * How a model learns.
 *
 * @param commitSeconds between two commits
 * @param skew the exponent of Zipf's law by which ids come
 * @param healthySeconds between two states to which training can be taken back
 */
public record Learning(double commitSeconds, double skew, double healthySeconds) {
  public Learning {
    Traffic.require("--commit-every", commitSeconds, 0.01, 3600);
    Traffic.require("--skew", skew, 0, 3);
    Traffic.require("--healthy-every", healthySeconds, 1, 86_400);
  }
}
