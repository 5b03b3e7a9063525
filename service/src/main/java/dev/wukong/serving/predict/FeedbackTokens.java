package dev.wukong.serving.predict;

import com.google.protobuf.ByteString;
import dev.wukong.data.FileProblem;
import dev.wukong.serving.events.PredictionId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Prediction ids as answers carry them. With keys they say how many candidates there were, and are
 * authenticated: 16 bytes of id, the candidates as an int32, big-endian, and the first 12 bytes of
 * HMAC-SHA256 over both and the model's name. So nobody can report on what was not answered here.
 * Any thread.
 */
public final class FeedbackTokens {
  /** The candidates of an id that does not say them. */
  static final int UNTOLD = -1;

  private static final String ALGORITHM = "HmacSHA256";
  private static final int MAC_BYTES = 12;
  private static final int SIGNED_BYTES = PredictionId.BYTES + Integer.BYTES;
  private static final int BYTES = SIGNED_BYTES + MAC_BYTES;
  private static final int KEY_BYTES = 32;
  private static final int LARGEST = 64 << 10;

  /** The first one signs, all are taken. */
  private final List<Mac> keys;

  private FeedbackTokens(List<Mac> keys) {
    this.keys = List.copyOf(keys);
  }

  /** Without a key: 16 bytes. */
  public static FeedbackTokens plain() {
    return new FeedbackTokens(List.of());
  }

  /**
   * With the keys in {@code file}, each a line of 64 hex digits or more.
   *
   * @throws IllegalArgumentException where it cannot be read or has none; no key is in the message
   */
  public static FeedbackTokens read(Path file) {
    List<Mac> keys = new ArrayList<>();
    try {
      if (Files.size(file) > LARGEST) {
        throw new IllegalArgumentException(
            "'%s', which is larger than %d bytes".formatted(file, LARGEST));
      }
      int number = 0;
      for (String text : Files.readAllLines(file, StandardCharsets.UTF_8)) {
        number++;
        String line = text.strip();
        if (!line.isEmpty() && !line.startsWith("#")) {
          keys.add(key(file, number, line));
        }
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "'%s', which cannot be read: %s".formatted(file, FileProblem.describe(e)), e);
    }
    if (keys.isEmpty()) {
      throw new IllegalArgumentException("'%s', which has no key".formatted(file));
    }
    return new FeedbackTokens(keys);
  }

  private static Mac key(Path file, int number, String line) {
    byte[] bytes;
    try {
      bytes = HexFormat.of().parseHex(line);
    } catch (IllegalArgumentException e) {
      bytes = new byte[0]; // Its message would have a part of the key.
    }
    if (bytes.length < KEY_BYTES) {
      throw new IllegalArgumentException(
          "'%s', whose line %d is no key: %d hex digits or more are needed"
              .formatted(file, number, 2 * KEY_BYTES));
    }
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(bytes, ALGORITHM));
      return mac;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has it", e);
    }
  }

  /** The id of an answer with so many candidates. */
  ByteString issue(PredictionId id, int candidates, String model) {
    ByteString plain = PredictionIds.bytes(id);
    if (keys.isEmpty()) {
      return plain;
    }
    ByteBuffer token = ByteBuffer.allocate(BYTES);
    token.put(plain.asReadOnlyByteBuffer()).putInt(candidates);
    token.put(mac(keys.getFirst(), Arrays.copyOf(token.array(), SIGNED_BYTES), model));
    return ByteString.copyFrom(token.flip());
  }

  private static byte[] mac(Mac key, byte[] signed, String model) {
    try {
      Mac mac = (Mac) key.clone();
      mac.update(signed);
      return Arrays.copyOf(mac.doFinal(model.getBytes(StandardCharsets.UTF_8)), MAC_BYTES);
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("that of every JDK can be cloned", e);
    }
  }

  /** What a caller shows. */
  sealed interface Shown {
    /**
     * An id.
     *
     * @param candidates of its prediction; {@link #UNTOLD} where it does not say
     */
    record Id(PredictionId id, int candidates) implements Shown {}

    /** None of this form. */
    record Malformed(int wanted) implements Shown {}

    /** Not made with any of the keys, for this model. */
    record Foreign() implements Shown {}
  }

  /** What {@code bytes} are, of a prediction of {@code model}. */
  Shown read(ByteString bytes, String model) {
    int wanted = keys.isEmpty() ? PredictionId.BYTES : BYTES;
    @Nullable PredictionId id =
        bytes.size() == wanted ? PredictionIds.of(bytes.substring(0, PredictionId.BYTES)) : null;
    if (id == null) {
      return new Shown.Malformed(wanted);
    }
    if (keys.isEmpty()) {
      return new Shown.Id(id, UNTOLD);
    }
    byte[] signed = bytes.substring(0, SIGNED_BYTES).toByteArray();
    byte[] given = bytes.substring(SIGNED_BYTES).toByteArray();
    for (Mac key : keys) {
      if (MessageDigest.isEqual(mac(key, signed, model), given)) {
        return new Shown.Id(id, ByteBuffer.wrap(signed).getInt(PredictionId.BYTES));
      }
    }
    return new Shown.Foreign();
  }
}
