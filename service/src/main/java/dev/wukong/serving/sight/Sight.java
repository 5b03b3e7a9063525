package dev.wukong.serving.sight;

import com.google.protobuf.ByteString;
import io.grpc.Status.Code;
import io.opentelemetry.context.Context;
import org.jspecify.annotations.Nullable;

/**
 * One request as it passes: filled stage by stage by the thread that answers it, and read by others
 * once it has been seen. Times are of {@link System#nanoTime}; it holds nothing of the request's
 * memory.
 */
public final class Sight {
  /** A stage that was not reached. */
  static final long NEVER = -1;

  final Door door;
  final long began;
  final @Nullable Context origin;

  @Nullable String model;
  long version;
  String requestId = "";
  ByteString predictionId = ByteString.EMPTY;
  int rows;
  int defaulted;
  int missing;
  int truncated;
  int batchRows;

  long decode = NEVER;
  long resolve = NEVER;
  long waited = NEVER;
  long queue = NEVER;
  long run = NEVER;
  long reply = NEVER;
  long total = NEVER;

  Code code = Code.OK;
  String reason = "";

  /**
   * A request that begins.
   *
   * @param origin of its trace; null where nothing is traced
   */
  Sight(Door door, long began, @Nullable Context origin) {
    this.door = door;
    this.began = began;
    this.origin = origin;
  }

  /** When it began. */
  public long began() {
    return began;
  }

  /** What is asked for, as the caller says: {@code rows} may be anything. */
  public void asked(String requestId, int rows) {
    this.requestId = requestId;
    this.rows = rows;
  }

  /** What is asked for once it is packed: {@code rows} may be anything. */
  public void packed(int rows) {
    this.rows = rows;
  }

  /** Which version answers. */
  public void answeredBy(String model, long version) {
    this.model = model;
    this.version = version;
  }

  /** Every check is passed and values are ids. */
  public void decoded(long now, int rows, int missing, int truncated) {
    decode = now - began;
    this.rows = rows;
    this.missing = missing;
    this.truncated = truncated;
  }

  /** The rows are in memory. */
  public void resolved(long now, int defaulted) {
    resolve = now - began - decode;
    this.defaulted = defaulted;
  }

  /** The scores are there. */
  public void scored(long now, long queueNanos, long runNanos, int batchRows) {
    waited = now - began - decode - resolve;
    queue = queueNanos;
    run = runNanos;
    this.batchRows = batchRows;
  }

  /** The id of its prediction. */
  public void predicted(ByteString predictionId) {
    this.predictionId = predictionId;
  }

  /** The answer has been handed on. */
  public void replied(long now) {
    total = now - began;
    reply = total - decode - resolve - waited;
  }

  /**
   * It gets no answer.
   *
   * @param reason of a closed set: nothing that the caller sent
   */
  public void refused(long now, Code code, String reason) {
    total = now - began;
    this.code = code;
    this.reason = reason;
  }

  /** The model that answers; null where none was found. */
  public @Nullable String model() {
    return model;
  }

  /** Checking the request and mapping values, in nanoseconds. */
  public long decodeNanos() {
    return decode;
  }

  /** Finding rows, in nanoseconds. */
  public long resolveNanos() {
    return resolve;
  }

  /** Its candidates. */
  public int rows() {
    return rows;
  }

  /** Positions without a row of their own. */
  public int defaulted() {
    return defaulted;
  }

  /** Absent values. */
  public int missing() {
    return missing;
  }

  /** Values beyond a feature's positions. */
  public int truncated() {
    return truncated;
  }

  /** From the scores to the answer handed on, in nanoseconds. */
  public long replyNanos() {
    return reply;
  }

  /** All of it, in nanoseconds. */
  public long totalNanos() {
    return total;
  }
}
