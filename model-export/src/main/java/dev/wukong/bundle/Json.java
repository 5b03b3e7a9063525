package dev.wukong.bundle;

import dev.wukong.text.ShownText;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The JSON readers and the writer of this package; readers refuse duplicate keys and bound what
 * they build.
 */
final class Json {
  /** The most tokens of a manifest: objects, lists, names and values. */
  static final int MAX_TOKENS = 4 << 20;

  /** Reads and writes manifests. Decimals stay exact, so that a float comes back as it was. */
  static final JsonMapper MAPPER = reader(24, 1 << 20, MAX_TOKENS);

  /** Writes for people to read. */
  static final JsonMapper PRETTY =
      MAPPER.rebuild().enable(SerializationFeature.INDENT_OUTPUT).build();

  private Json() {}

  /** What is wrong with a document, without the parser's remarks about itself. */
  static String reason(JacksonException failure) {
    return ShownText.oneLine(
        failure.getOriginalMessage().replaceFirst("(?s) \\((start marker at|bound as) .*", ""));
  }

  /**
   * The document in {@code json}, by one of the readers.
   *
   * @throws BundleException where it is none
   */
  static JsonNode tree(JsonMapper reader, byte[] json) throws BundleException {
    try {
      return reader.readTree(json);
    } catch (JacksonException e) {
      throw new BundleException("not valid JSON: " + reason(e), e);
    } catch (NumberFormatException e) { // As Jackson throws it of exponents that no decimal has.
      throw new BundleException("not valid JSON: a number in it is too large or too small", e);
    }
  }

  /**
   * A reader of documents nested at most {@code depth} levels with strings of at most {@code text}
   * characters. A token of two bytes can become an object of fifty, so their number is bounded by
   * {@code tokens}.
   */
  static JsonMapper reader(int depth, int text, long tokens) {
    StreamReadConstraints limits =
        StreamReadConstraints.builder()
            .maxNestingDepth(depth)
            .maxStringLength(text)
            .maxNameLength(4096)
            .maxNumberLength(64)
            .maxTokenCount(tokens)
            .build();
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(limits)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    return JsonMapper.builder(factory)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
        .build();
  }
}
