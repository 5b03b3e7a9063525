package dev.wukong.serving.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamePatternTest {
  @ParameterizedTest
  @CsvSource({
    "dns:ranker.example.com, dns:ranker.example.com, true",
    "dns:ranker.example.com, dns:RANKER.example.com, true",
    "dns:ranker.example.com, dns:rankerXexample.com, false",
    "dns:ranker.example.com, uri:ranker.example.com, false",
    "dns:*.example.com, dns:ranker.example.com, true",
    "dns:*.example.com, dns:a.b.example.com, false",
    "dns:*.example.com, dns:ranker.example.com.evil.org, false",
    "uri:spiffe://shop/*, uri:spiffe://shop/ranker, true",
    "uri:spiffe://shop/*, uri:spiffe://shop/deep/ranker, false",
    "uri:spiffe://shop/*/ranker, uri:spiffe://shop/deep/ranker, true",
    "cn:ranker, cn:ranker, true",
    "cn:ranker, cn:Ranker, false",
    "cn:ranker*, cn:ranker of the shop, true",
    "cn:ranker, cn:ranker2, false",
  })
  void matches_names_asItsKindHasThem(String pattern, String name, boolean matches) {
    assertThat(NamePattern.parse(pattern).matches(name)).isEqualTo(matches);
  }

  /** As a regular expression says it, of names so short that it takes no time. */
  @ParameterizedTest
  @ValueSource(strings = {"dns:", "uri:", "cn:"})
  void matches_anyName_isAsTheRegularExpression(String kind) {
    String none = kind.equals("dns:") ? "[^.]*" : kind.equals("uri:") ? "[^/]*" : ".*";
    SplittableRandom random = new SplittableRandom(kind.length());
    int matched = 0;
    for (int i = 0; i < 20_000; i++) {
      String pattern = kind + "x" + text(random, "ab./*");
      String name = kind + "x" + text(random, "ab./");
      String regex =
          Stream.of(pattern.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(none));
      boolean expected = name.matches(regex);
      assertThat(NamePattern.parse(pattern).matches(name)).as(pattern + name).isEqualTo(expected);
      matched += expected ? 1 : 0;
    }
    assertThat(matched).isPositive();
  }

  private static String text(SplittableRandom random, String of) {
    StringBuilder text = new StringBuilder();
    for (int left = random.nextInt(7); left > 0; left--) {
      text.append(of.charAt(random.nextInt(of.length())));
    }
    return text.toString();
  }

  /** There are more ways to share these out among the stars than anybody could try. */
  @Test
  void matches_manyStars_endsSoon() {
    NamePattern pattern = NamePattern.parse("cn:" + "*a".repeat(40) + "c");
    assertThat(pattern.matches("cn:" + "a".repeat(1000) + "b")).isFalse();
    assertThat(pattern.matches("cn:" + "a".repeat(1000) + "c")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "ranker", "ip:127.0.0.1", "dns:", "CN:x", "dns: x"})
  void parse_whatIsNone_saysWhatIsAllowed(String text) {
    assertThatThrownBy(() -> NamePattern.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("'" + text + "', allowed are names in certificates such as");
  }
}
