package dev.wukong.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.report.Block.Heading;
import dev.wukong.report.Block.Paragraph;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jsoup.nodes.Attribute;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.junit.jupiter.api.Test;

class HtmlReportTest {
  private static final List<String> LOADING =
      List.of("src", "srcset", "data", "poster", "action", "formaction", "background", "style");

  @Test
  void page_ofTheSample_isWhole() {
    Document page = Pages.read(SampleReport.report());

    assertThat(page.documentType()).isNotNull();
    assertThat(page.expectFirst("html").attr("lang")).isEqualTo("en");
    assertThat(page.title()).isEqualTo("Ranking models on frappe");
    assertThat(page.select("h1").eachText()).containsExactly("Ranking models on frappe");
    assertThat(page.select("h2").eachText())
        .containsExactly("Models", "Learning curves", "Calibration", "Scaling");
    assertThat(page.select("figure")).hasSize(5);
    assertThat(page.expectFirst("meta[charset]").attr("charset")).isEqualTo("utf-8");
    assertThat(page.expectFirst("head").child(0).hasAttr("charset")).isTrue();
  }

  @Test
  void contents_ofSeveralHeadings_leadToThem() {
    Document page = Pages.read(SampleReport.report());

    assertThat(page.select("nav a").eachText()).isEqualTo(page.select("h2").eachText());
    for (Element link : page.select("nav a")) {
      Element section = page.expectFirst(link.attr("href"));
      assertThat(section.text()).isEqualTo(link.text());
    }
  }

  @Test
  void contents_ofOneHeading_areLeftOut() {
    assertThat(Pages.read(new Heading("only")).select("nav")).isEmpty();
  }

  @Test
  void page_anyElement_loadsNothing() {
    Document page = Pages.read(SampleReport.report());

    assertThat(page.select("link, img, iframe, object, embed, base, form, video, audio")).isEmpty();
    assertThat(page.select("meta[http-equiv=refresh]")).isEmpty();
    for (Element element : page.getAllElements()) {
      for (Attribute attribute : element.attributes()) {
        String name = attribute.getKey().toLowerCase(Locale.ROOT);
        assertThat(LOADING).doesNotContain(name);
        assertThat(name).doesNotStartWith("on");
        if (name.endsWith("href")) {
          assertThat(attribute.getValue()).startsWith("#");
        }
      }
    }
    for (Element style : page.select("style")) {
      assertThat(style.data()).doesNotContain("url(").doesNotContain("@import");
    }
  }

  /** The policy must name each script and style sheet as a browser would hash it. */
  @Test
  void policy_ofTheSample_allowsExactlyItsOwnParts() throws Exception {
    Document page = Pages.read(SampleReport.report());
    String policy = page.expectFirst("meta[http-equiv=Content-Security-Policy]").attr("content");

    List<String> allowed = new ArrayList<>();
    Matcher source = Pattern.compile("'(sha256-[^']+)'").matcher(policy);
    while (source.find()) {
      allowed.add(source.group(1));
    }
    List<String> present = new ArrayList<>();
    for (Element part : page.select("style, script:not([type])")) {
      present.add(hash(part.data()));
    }
    assertThat(allowed).containsExactlyInAnyOrderElementsOf(present).hasSize(3);
    assertThat(policy)
        .startsWith("default-src 'none';")
        .contains("base-uri 'none'")
        .doesNotContain("unsafe")
        .doesNotContain("http")
        .doesNotContain("*");
    // What stands in front of the policy is not bound by it.
    Element meta = page.expectFirst("meta[http-equiv=Content-Security-Policy]");
    assertThat(meta.previousElementSiblings().select("script, style, link")).isEmpty();
  }

  @Test
  void page_withoutCharts_bringsNoLibrary() {
    Document page = Pages.read(new Heading("one"), new Paragraph("two\nthree"));

    assertThat(page.select("script")).isEmpty();
    assertThat(page.html()).doesNotContain("ECharts").hasSizeLessThan(20_000);
    assertThat(page.expectFirst("meta[http-equiv=Content-Security-Policy]").attr("content"))
        .endsWith("script-src 'none'");
  }

  @Test
  void tables_ofTheSample_haveScopesAndAName() {
    Document page = Pages.read(SampleReport.report());

    assertThat(page.select("table")).hasSize(6);
    assertThat(page.select("thead th:not([scope=col]), tbody th:not([scope=row])")).isEmpty();
    Element table = page.expectFirst("main > .scroll");
    assertThat(table.attr("aria-label")).startsWith("Table of Model, AUC");
    assertThat(table.select("tbody tr")).hasSize(8);
    assertThat(table.expectFirst("tbody tr").children().eachText())
        .containsExactly("wukong", "0.9845 ± 0.0002", "0.1421", "2,731,042", "41.3", "attentive");
    assertThat(table.select("tbody th").eachText()).contains("wukong", "lr").hasSize(8);
    assertThat(table.expectFirst("tbody tr").select(".number")).hasSize(4);
  }

  /** The library's licence asks for its notices, and its script for an end that is ours alone. */
  @Test
  void library_inlined_keepsItsNoticesAndHoldsNoEndTag() {
    String page = HtmlReport.text(SampleReport.report());

    assertThat(PageParts.library())
        .contains("Licensed to the Apache Software Foundation")
        .doesNotContainIgnoringCase("</script")
        .doesNotContain("<!--")
        .doesNotContain("\r");
    assertThat(PageParts.libraryVersion()).matches("\\d+\\.\\d+\\.\\d+");
    assertThat(page)
        .contains("This product includes software developed at")
        .contains("Copyright (c) 2017, Baidu Inc.")
        .contains("Mike Bostock");
    assertThat(page.getBytes(StandardCharsets.UTF_8)).hasSizeLessThan(1_300_000);
  }

  private static String hash(String content) throws Exception {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
    return "sha256-" + Base64.getEncoder().encodeToString(hash);
  }
}
