package dev.wukong.plan;

/**
 * How large a deployment must be. Microseconds and cores are of the processor that the model's
 * graph was measured on.
 *
 * @param commit what each commit has to say
 * @param rowMicros of a core for a candidate, all of serving included
 * @param servingCores that answers take, all replicas together
 * @param followingCores that a replica needs to follow commits
 * @param trainingCores that learning needs, on one machine
 * @param replicas that answer, the spare ones included
 * @param separate whether a trainer of its own learns; otherwise one of the replicas does, too
 * @param replicaBytes of memory of one that follows
 * @param trainerBytes of memory of the one that trains
 * @param residentBytes of those for rows
 * @param storeBytes of a replica's disk
 * @param brokers what Kafka takes
 * @param redisBytes of all rows in Redis, once; a cluster has each twice
 */
public record Plan(
    CommitSize commit,
    double rowMicros,
    double servingCores,
    double followingCores,
    double trainingCores,
    int replicas,
    boolean separate,
    double replicaBytes,
    double trainerBytes,
    double residentBytes,
    double storeBytes,
    BrokerLoad brokers,
    double redisBytes) {
  /** What this traffic needs. */
  public static Plan of(Traffic traffic, ModelSize model, Learning learning, Machines machines) {
    CommitSize commit = CommitSize.of(traffic, model, learning);
    double commits = 1 / learning.commitSeconds();
    double rowMicros = rowMicros(traffic, model);
    double serving = traffic.requests() * traffic.candidates() * rowMicros / 1e6;
    double following = commits * (Costs.FOLLOWED_COMMIT + commit.rows() * Costs.FOLLOWED_ROW) / 1e6;
    double training =
        (commits * Costs.MADE_COMMIT
                + traffic.examples() * (Costs.EXAMPLE + Costs.STEP_BY_GRAPH * model.graphMicros()))
            / 1e6;
    Replicas replicas = Replicas.of(serving, following, training, machines);
    double resident = 0;
    double store = 0;
    double redis = 0;
    for (TableLoad table : model.tables()) {
      double floats = 4.0 * table.width();
      resident += table.rows() * machines.resident() * (floats + Costs.RESIDENT_ROW);
      store += table.rows() * (2 * floats + Costs.STORED_ROW) * Costs.STORE_SPARE;
      redis += table.rows() * (2 * (floats + Costs.REDIS_VERSION) + Costs.REDIS_ROW);
    }
    double replica = Costs.PROCESS + Costs.HEAP + resident + 8.0 * model.dense();
    return new Plan(
        commit,
        rowMicros,
        serving,
        following,
        training,
        replicas.count(),
        replicas.separate(),
        replica,
        replica + Costs.TRAINER + 16.0 * model.dense(),
        resident,
        store,
        BrokerLoad.of(traffic, model, commit, commits, replicas.followers(), machines),
        redis);
  }

  /** Of a candidate, with its share of the request and of the prediction that is logged. */
  private static double rowMicros(Traffic traffic, ModelSize model) {
    double logged = traffic.logged() * BrokerLoad.predictionBytes(traffic, model);
    double request = Costs.REQUEST + logged * Costs.LOGGED_BYTE;
    return model.graphMicros()
        + model.candidateFloats() * Costs.ROW_FLOAT
        + request / traffic.candidates();
  }

  /** Cores of one that trains: all that learning takes, and room for as much again as of others. */
  public double trainerCores(Machines machines) {
    return Math.max(1, Math.ceil(trainingCores / machines.busy()));
  }
}
