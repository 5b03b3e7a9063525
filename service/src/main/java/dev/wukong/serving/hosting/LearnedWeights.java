package dev.wukong.serving.hosting;

import dev.wukong.bundle.Bundle;
import java.io.IOException;
import java.util.Optional;

/** What was learned here after a bundle was made. */
public interface LearnedWeights {
  /** Nothing is learned here. */
  LearnedWeights NONE =
      new LearnedWeights() {
        @Override
        public boolean learns(String model) {
          return false;
        }

        @Override
        public Optional<Learned> of(Bundle bundle) {
          return Optional.empty();
        }
      };

  /**
   * The dense weights as they were committed last.
   *
   * @param epoch who trained them
   * @param dense how often they had changed since the bundle
   * @param graph the predict graph with them, of the precision that serves
   * @param golden the probabilities that the bundle's golden rows must have by now
   */
  @SuppressWarnings("ArrayRecordComponent") // Read once, never compared.
  record Learned(long epoch, long dense, byte[] graph, float[] golden) {}

  /** Whether a model may learn, so that its rows must be able to change. */
  boolean learns(String model);

  /**
   * What the model of {@code bundle} has learned since.
   *
   * @throws IOException where that cannot be used with the bundle
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   */
  Optional<Learned> of(Bundle bundle) throws IOException;
}
