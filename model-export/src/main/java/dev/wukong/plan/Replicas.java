package dev.wukong.plan;

/**
 * How many replicas answer, and who learns.
 *
 * @param count that answer, the spare ones included
 * @param separate whether a trainer of its own learns, which answers nobody
 */
record Replicas(int count, boolean separate) {
  private static final double ROUNDING = 1e-9;

  /** As few machines as have the cores for all of it while the spare ones are away. */
  static Replicas of(double serving, double following, double training, Machines machines) {
    double each = machines.cores() * machines.busy();
    int apart = answering(serving, each - following);
    // Callers ask all replicas alike, so the one that learns as well is what bounds the others.
    int together =
        serving + training <= each ? 1 : answering(serving, each - Math.max(training, following));
    boolean separate = together == 0 || (apart > 0 && apart + 1 < together);
    int needed = separate ? apart : together;
    int count = needed + machines.spare();
    if (needed == 0 || (followers(count, separate) > 0 && following >= each)) {
      throw new IllegalArgumentException(
          "to follow commits takes %.3g cores, and a replica has %.3g that may be busy: fewer commits, fewer candidates that are seen, or more cores"
              .formatted(following, each));
    }
    return new Replicas(count, separate);
  }

  /** That answer with so many cores each; 0: no number of them can. */
  private static int answering(double serving, double each) {
    return each > 0 ? Math.max(1, (int) Math.ceil(serving / each - ROUNDING)) : 0;
  }

  /** That follow another's commits. */
  int followers() {
    return followers(count, separate);
  }

  private static int followers(int count, boolean separate) {
    return separate ? count : count - 1;
  }
}
