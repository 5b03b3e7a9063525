package dev.wukong.bundle;

import dev.wukong.data.DataException;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.Schema;
import dev.wukong.data.Vocabulary;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code vocabularies.json}: an object with a list of strings for each id space that has a
 * vocabulary, read and written as a stream since it may have millions of values.
 */
final class VocabularyFile {
  private static final int MAX_VALUE = 4096;
  private static final long MAX_TOKENS = 1L << 30;
  private static final JsonMapper READER = Json.reader(2, MAX_VALUE, MAX_TOKENS);

  private VocabularyFile() {}

  static void write(Map<String, List<String>> vocabularies, OutputStream out) throws IOException {
    try (JsonGenerator json = READER.createGenerator(out)) {
      json.writeStartObject();
      for (Map.Entry<String, List<String>> vocabulary : new TreeMap<>(vocabularies).entrySet()) {
        json.writeArrayPropertyStart(vocabulary.getKey());
        for (String value : vocabulary.getValue()) {
          if (value.length() > MAX_VALUE) {
            throw new BundleException(
                "id space '%s': a value has %d characters, at most %d are allowed"
                    .formatted(vocabulary.getKey(), value.length(), MAX_VALUE));
          }
          json.writeString(value);
        }
        json.writeEndArray();
      }
      json.writeEndObject();
    }
  }

  /**
   * The vocabularies of {@code schema}, by id space.
   *
   * @throws BundleException if one is missing, or is none of the schema's, or does not hold
   *     distinct values of its type
   */
  static Map<String, Vocabulary> read(MemorySegment bytes, Schema schema) throws BundleException {
    Map<String, IdFeature> spaces = spaces(schema);
    Map<String, Vocabulary> vocabularies = new LinkedHashMap<>();
    try (JsonParser json = READER.createParser(new SegmentStream(bytes))) {
      expect(json.nextToken() == JsonToken.START_OBJECT, "an object");
      while (json.nextToken() == JsonToken.PROPERTY_NAME) {
        String idSpace = json.currentName();
        IdFeature feature = spaces.get(idSpace);
        if (feature == null) {
          throw new BundleException(
              "the schema has no id space '%s' with a vocabulary".formatted(idSpace));
        }
        expect(json.nextToken() == JsonToken.START_ARRAY, "a list for each id space");
        vocabularies.put(idSpace, vocabulary(feature, values(json)));
      }
      expect(json.nextToken() == null, "nothing after the object");
    } catch (JacksonException e) {
      throw new BundleException("not valid JSON: " + Json.reason(e), e);
    }
    for (IdFeature feature : spaces.values()) {
      if (!vocabularies.containsKey(feature.idSpace())) {
        throw new BundleException(
            "the vocabulary of id space '%s' is missing, feature '%s' needs it"
                .formatted(feature.idSpace(), feature.name()));
      }
    }
    return vocabularies;
  }

  /** The id spaces that have a vocabulary, with the first feature of each. */
  private static Map<String, IdFeature> spaces(Schema schema) {
    Map<String, IdFeature> spaces = new LinkedHashMap<>();
    for (Feature feature : schema.features()) {
      if (feature instanceof IdFeature ids && ids.mapping() instanceof IdMapping.Vocabulary) {
        spaces.putIfAbsent(ids.idSpace(), ids);
      }
    }
    return spaces;
  }

  private static List<String> values(JsonParser json) throws BundleException {
    List<String> values = new ArrayList<>();
    while (json.nextToken() == JsonToken.VALUE_STRING) {
      values.add(json.getString());
    }
    expect(json.currentToken() == JsonToken.END_ARRAY, "lists of strings");
    return values;
  }

  private static Vocabulary vocabulary(IdFeature feature, List<String> values)
      throws BundleException {
    try {
      return Vocabulary.of(feature.type(), values);
    } catch (DataException e) {
      throw new BundleException(
          "id space '%s': %s".formatted(feature.idSpace(), e.getMessage()), e);
    }
  }

  private static void expect(boolean met, String what) throws BundleException {
    if (!met) {
      throw new BundleException("expected " + what);
    }
  }
}
