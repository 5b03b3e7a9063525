package dev.wukong.bundle;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collections;
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
 * {@code vocabularies.json}: an object with a list of strings for each id space, read and written
 * as a stream since a vocabulary may have millions of values.
 */
final class VocabularyFile {
  private static final int MAX_VALUE = 4096;
  private static final JsonMapper READER = Json.reader(2, MAX_VALUE);

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

  /** The values by id space, in the order of their ids. */
  static Map<String, List<String>> read(byte[] bytes) throws BundleException {
    try (JsonParser json = READER.createParser(bytes)) {
      expect(json.nextToken() == JsonToken.START_OBJECT, "an object");
      Map<String, List<String>> vocabularies = new LinkedHashMap<>();
      while (json.nextToken() == JsonToken.PROPERTY_NAME) {
        String idSpace = json.currentName();
        expect(json.nextToken() == JsonToken.START_ARRAY, "a list for each id space");
        List<String> values = new ArrayList<>();
        while (json.nextToken() == JsonToken.VALUE_STRING) {
          values.add(json.getString());
        }
        expect(json.currentToken() == JsonToken.END_ARRAY, "lists of strings");
        vocabularies.put(idSpace, Collections.unmodifiableList(values));
      }
      expect(json.nextToken() == null, "nothing after the object");
      return Collections.unmodifiableMap(vocabularies);
    } catch (JacksonException e) {
      throw new BundleException("not valid JSON: " + Json.reason(e), e);
    }
  }

  private static void expect(boolean met, String what) throws BundleException {
    if (!met) {
      throw new BundleException("expected " + what);
    }
  }
}
