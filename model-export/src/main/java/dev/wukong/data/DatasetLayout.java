package dev.wukong.data;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Where things lie in an encoded file: a header of {@link #HEADER} bytes, then one record a row,
 * all little-endian. A record holds the ids of context and candidate, their weights, their numbers,
 * then labels and label weights.
 *
 * @param idBytes 4 where every id space is small enough, else 8
 */
record DatasetLayout(
    int idBytes,
    int contextIds,
    int candidateIds,
    int contextWeights,
    int candidateWeights,
    int contextDense,
    int candidateDense,
    int tasks) {
  static final int HEADER = 64;
  static final long MAGIC = 0x3230_4154_4144_4B57L; // "WKDATA02"
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  static DatasetLayout of(FeatureEncoder encoder) {
    int context = encoder.positions(Scope.CONTEXT);
    int candidate = encoder.positions(Scope.CANDIDATE);
    return new DatasetLayout(
        idBytes(encoder),
        context,
        candidate,
        encoder.weighted(Scope.CONTEXT) ? context : 0,
        encoder.weighted(Scope.CANDIDATE) ? candidate : 0,
        encoder.denseWidth(Scope.CONTEXT),
        encoder.denseWidth(Scope.CANDIDATE),
        encoder.schema().tasks().size());
  }

  private static int idBytes(FeatureEncoder encoder) {
    for (Feature feature : encoder.schema().features()) {
      if (feature instanceof IdFeature ids) {
        OptionalLong rows = encoder.rowsIn(ids.idSpace());
        if (rows.isEmpty() || rows.getAsLong() > Integer.MAX_VALUE) {
          return Long.BYTES;
        }
      }
    }
    return Integer.BYTES;
  }

  int floats() {
    return contextWeights + candidateWeights + contextDense + candidateDense + 2 * tasks;
  }

  /** Bytes of one record. */
  int stride() {
    return Math.addExact(
        Math.multiplyExact(idBytes, Math.addExact(contextIds, candidateIds)),
        Math.multiplyExact(Float.BYTES, floats()));
  }

  /**
   * A digest of everything that decides what the numbers in a file mean: schema and vocabularies.
   */
  static long fingerprint(FeatureEncoder encoder) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(encoder.schema().toJson().toString().getBytes(StandardCharsets.UTF_8));
      new TreeMap<>(encoder.vocabularies())
          .forEach(
              (space, vocabulary) -> {
                digest.update(space.getBytes(StandardCharsets.UTF_8));
                for (String value : vocabulary.values()) {
                  digest.update((byte) 0);
                  digest.update(value.getBytes(StandardCharsets.UTF_8));
                }
              });
      return Hash.of(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
