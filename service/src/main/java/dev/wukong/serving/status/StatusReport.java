package dev.wukong.serving.status;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The answer of {@code GET /status}. Figures over time are lists as long as {@code times}, oldest
 * first, with null where a figure is not known. Times are milliseconds since 1970, by the server.
 *
 * @param started when this process began: another value says that the service was restarted
 * @param now when this was answered
 * @param everyMillis between two samples
 * @param keeps samples that the server keeps
 * @param last number of the newest sample, for {@code ?after=}; -1 where there is none
 * @param times of the samples in this answer
 */
record StatusReport(
    long started,
    long now,
    long everyMillis,
    int keeps,
    long last,
    List<Long> times,
    Readiness readiness,
    ProcessUse process,
    Map<String, List<@Nullable Double>> refused,
    List<Model> models) {

  /**
   * Whether the service answers.
   *
   * @param state {@code ready}, {@code degraded} or {@code not_ready}
   * @param reasons for people; empty where it is ready
   */
  record Readiness(String state, List<String> reasons) {}

  /**
   * What the process uses.
   *
   * @param processors that it may use
   * @param heapMax bytes that Java's heap may grow to
   * @param devices that run models: {@code cpu}, or GPUs
   * @param figures by {@link ProcessFigure#key}
   */
  record ProcessUse(
      int processors,
      long heapMax,
      List<String> devices,
      Map<String, List<@Nullable Double>> figures) {}

  /**
   * A model; {@code serving} is 0 and {@code schemaId}, {@code tasks} and {@code precision} are
   * empty while no version serves.
   *
   * @param maxRows candidates a batch, at most
   * @param allowedWaitMillis that requests may wait, at most
   * @param versions newest first
   * @param shadows labels whose versions score copies of requests, by name
   * @param training null where it does not learn
   * @param figures by {@link ModelFigure#key}, and those of {@link LearningReading} where it learns
   */
  record Model(
      String name,
      long serving,
      String schemaId,
      List<String> tasks,
      String precision,
      int maxRows,
      long allowedWaitMillis,
      List<Version> versions,
      List<Shadow> shadows,
      @Nullable Training training,
      Map<String, List<@Nullable Double>> figures) {}

  /**
   * How the training of a model stands.
   *
   * @param phase {@code waiting}, {@code learning}, {@code paused} or {@code halted}
   * @param reason why it does not learn, else empty
   * @param bundle the version that learns; 0: none
   * @param epoch who made the last commit
   * @param dense how often its dense weights have changed
   * @param rows how often rows of the version that serves have changed
   * @param examples learned from since the bundle
   * @param lag events of the log that it has not come to
   * @param frozen whether labels are missing, so that no window closes
   * @param gate whether what was learned may serve; null before the first commit
   */
  record Training(
      String phase,
      String reason,
      long bundle,
      long epoch,
      long dense,
      long rows,
      long examples,
      long lag,
      boolean frozen,
      @Nullable GateStatus gate) {}

  /**
   * A version of a model.
   *
   * @param state {@code loading}, {@code ready}, {@code serving}, {@code draining}, {@code
   *     unloaded} or {@code failed}
   * @param message why it failed, else empty
   * @param since when it began to
   * @param labels that point to it
   * @param share of the requests that ask for no version, 0 to 1
   */
  record Version(
      long version, String state, String message, long since, List<String> labels, double share) {}

  /**
   * A label whose version scores copies of requests that others answer. Counts and means are of all
   * the samples that the server keeps, whatever was asked for; means are null where nothing was
   * compared.
   *
   * @param version that it points to; 0 where none is loaded: then it scores nothing
   * @param copied of the requests that ask for no version, 0 to 1
   * @param dropped that nobody scored, such as where too many waited
   * @param refused that the version does not take
   * @param difference between a candidate's two probabilities
   * @param answered probability that was answered
   * @param shadow probability that this label's version gives
   */
  record Shadow(
      String label,
      long version,
      double copied,
      long scored,
      long dropped,
      long refused,
      long failed,
      @Nullable Double difference,
      @Nullable Double answered,
      @Nullable Double shadow) {}
}
