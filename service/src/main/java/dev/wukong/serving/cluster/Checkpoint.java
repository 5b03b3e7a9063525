package dev.wukong.serving.cluster;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.wukong.text.ShownText;
import java.util.List;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a replica's store held after a commit, as files that others can begin with.
 *
 * @param format of this
 * @param model that it is of; the store may have rows of others, too
 * @param epoch who had trained
 * @param sequence of the commit
 * @param next the offset of the first commit record that is not in it
 * @param madeMs when it was made: milliseconds since 1970-01-01 UTC
 * @param replica that made it
 * @param files of the store
 */
record Checkpoint(
    int format,
    String model,
    long epoch,
    long sequence,
    long next,
    long madeMs,
    String replica,
    List<Part> files) {
  static final int FORMAT = 1;

  /** The largest text of one: some hundred bytes a file. */
  static final int MOST_BYTES = 16 << 20;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .build();

  /**
   * A file of the store.
   *
   * @param name of it, which is in no folder
   * @param sha256 of its bytes, 64 hex digits: by which the object is named that has them
   */
  record Part(
      @JsonProperty(required = true) String name,
      long size,
      @JsonProperty(required = true) String sha256) {
    Part {
      // It becomes a path.
      if (!NAME.matcher(name).matches() || !HEX.matcher(sha256).matches() || size < 0) {
        throw new IllegalArgumentException("'%s' is no file of a checkpoint".formatted(name));
      }
    }

    /** The name of the object that has its bytes. */
    String object(String model) {
      return objects(model) + "/" + sha256;
    }
  }

  Checkpoint {
    files = List.copyOf(files);
  }

  /** What is after the commits that it holds. */
  CommitOrder order() {
    return new CommitOrder(next, epoch, sequence);
  }

  /** Where all checkpoints of a model are. */
  static String folder(String model) {
    return model + "/checkpoints";
  }

  /** Where the bytes of files of all of them are. */
  static String objects(String model) {
    return model + "/objects";
  }

  /** Its name: ascending by commit. */
  String name() {
    return "%s/%020d-%d.json".formatted(folder(model), sequence, epoch);
  }

  byte[] bytes() {
    return JSON.writeValueAsBytes(this);
  }

  /**
   * What {@link #bytes} made.
   *
   * @throws CommitException if it did not
   */
  static Checkpoint of(byte[] bytes) {
    try {
      Checkpoint read = JSON.readValue(bytes, Checkpoint.class);
      if (read.format() != FORMAT) {
        throw new CommitException(
            "a checkpoint has format %d, this build reads %d".formatted(read.format(), FORMAT));
      }
      return read;
    } catch (JacksonException e) {
      throw new CommitException(
          "a checkpoint cannot be read: " + ShownText.oneLine(e.getOriginalMessage()), e);
    } catch (NullPointerException e) {
      throw new CommitException("a checkpoint cannot be read: a field of it is null", e);
    }
  }
}
