package dev.wukong.plan;

/**
 * What a deployment runs on.
 *
 * @param cores of a replica
 * @param busy share of them that may be busy
 * @param spare replicas that may be away while the others do
 * @param resident share of rows that is in memory
 * @param replication copies of each topic
 * @param retentionHours that topics are kept
 */
public record Machines(
    double cores, double busy, int spare, double resident, int replication, double retentionHours) {
  public Machines {
    Traffic.require("--cores", cores, 0.1, 1024);
    Traffic.require("--busy", busy, 0.05, 1);
    Traffic.require("--spare", spare, 0, 1000);
    Traffic.require("--resident", resident, 0, 1);
    Traffic.require("--replication", replication, 1, 9);
    Traffic.require("--retention-hours", retentionHours, 0.1, 24 * 365);
  }
}
