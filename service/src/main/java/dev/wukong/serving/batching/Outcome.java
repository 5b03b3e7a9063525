package dev.wukong.serving.batching;

/** How a job ended. */
public sealed interface Outcome {
  /**
   * Every candidate has its scores.
   *
   * @param probabilities float32 little-endian [candidates, tasks]
   * @param logits the same of log-odds
   * @param queueNanos from submission until the last part's batch was formed
   * @param runNanos gathering and running, summed over the parts' batches
   * @param batchRows candidates in the last part's batch
   */
  @SuppressWarnings("ArrayRecordComponent") // Goes into the answer as it is, never compared.
  record Scored(byte[] probabilities, byte[] logits, long queueNanos, long runNanos, int batchRows)
      implements Outcome {}

  /** The deadline passed before every part had run. */
  record Late() implements Outcome {}

  /**
   * A result of the job's own is NaN or infinite.
   *
   * @param candidate the first of the job with such a result
   * @param task whose result it is
   */
  record NotFinite(int candidate, int task) implements Outcome {}

  /** The model failed on a batch that held a part of the job. */
  record Failed() implements Outcome {}
}
