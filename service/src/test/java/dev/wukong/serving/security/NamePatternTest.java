package dev.wukong.serving.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

  @ParameterizedTest
  @ValueSource(strings = {"", "ranker", "ip:127.0.0.1", "dns:", "CN:x", "dns: x"})
  void parse_whatIsNone_saysWhatIsAllowed(String text) {
    assertThatThrownBy(() -> NamePattern.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("'" + text + "', allowed are names in certificates such as");
  }
}
