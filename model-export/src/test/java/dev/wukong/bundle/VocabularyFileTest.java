package dev.wukong.bundle;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.Schema;
import dev.wukong.data.SchemaYaml;
import dev.wukong.data.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class VocabularyFileTest {
  private static final Schema SCHEMA =
      SchemaYaml.parse(
          """
          name: s
          features:
            - {name: user, type: int64}
            - {name: brand, type: string, ids: hash}
            - {name: history, shares: item, max_ids: 2}
            - {name: item, type: string}
          """,
          "test");

  /** Longer than any buffer on the way. */
  @Test
  void read_whatWasWritten_givesItBack() throws IOException {
    List<String> users = IntStream.range(0, 50_000).mapToObj(Integer::toString).toList();
    List<String> items = List.of("tea", "naïve \"quote\"", "größe".repeat(500), "日本");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    VocabularyFile.write(Map.of("user", users, "item", items), out);
    Map<String, Vocabulary> read =
        VocabularyFile.read(MemorySegment.ofArray(out.toByteArray()), SCHEMA);
    assertThat(read.keySet()).containsExactlyInAnyOrder("user", "item");
    assertThat(read.get("user")).extracting(Vocabulary::values).isEqualTo(users);
    assertThat(read.get("item")).extracting(Vocabulary::values).isEqualTo(items);
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(
            "{'user':[],'item':[],'city':['x']}",
            "the schema has no id space 'city' with a vocabulary"),
        Arguments.of(
            "{'user':[],'item':[],'brand':[]}",
            "the schema has no id space 'brand' with a vocabulary"),
        Arguments.of(
            "{'user':[],'item':[],'history':[]}",
            "the schema has no id space 'history' with a vocabulary"),
        Arguments.of(
            "{'user':[]}",
            "the vocabulary of id space 'item' is missing, feature 'history' needs it"),
        Arguments.of(
            "{'user':['7','7'],'item':[]}",
            "id space 'user': vocabulary has the value '7' twice; each may stand once"),
        Arguments.of(
            "{'user':[],'item':['a','b','a']}",
            "id space 'item': vocabulary has the value 'a' twice; each may stand once"),
        Arguments.of(
            "{'user':[],'item':['a','']}",
            "id space 'item': vocabulary value 1 is empty; an empty string is an absent value"),
        Arguments.of(
            "{'user':['1','abc'],'item':[]}",
            "id space 'user': vocabulary value 1 is 'abc'; an int64 is needed"),
        Arguments.of("{'user':[1],'item':[]}", "expected lists of strings"),
        Arguments.of("{'user':'1','item':[]}", "expected a list for each id space"),
        Arguments.of("[]", "expected an object"),
        Arguments.of(
            "{'user':[],'user':[]}", "not valid JSON: Duplicate Object property \"user\""));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void read_whatTheSchemaCannotMap_refuses(String json, String message) {
    MemorySegment bytes = MemorySegment.ofArray(json.replace('\'', '"').getBytes(UTF_8));
    assertThatThrownBy(() -> VocabularyFile.read(bytes, SCHEMA))
        .isInstanceOf(BundleException.class)
        .hasMessage(message);
  }
}
