package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The presets of MovieLens and Criteo on made-up rows in their files' layouts, whose labels follow
 * from one column: a model that reads it finds out.
 */
class OpenSetsTest {
  private static final List<String> GENRES =
      List.of("Action", "Comedy", "Drama", "Film-Noir", "Horror", "Sci-Fi", "War");

  @TempDir private Path folder = Path.of("");

  private final StringWriter said = new StringWriter();

  private void execute(String... arguments) {
    said.getBuffer().setLength(0);
    int status = Typed.execute(said, said, arguments);
    assertThat(status).as(said.toString()).isZero();
  }

  private void train(String preset) {
    execute(
        "train",
        "--config=" + preset,
        "--data=" + folder,
        "--bundles=" + folder.resolve("bundles"),
        "--work=" + folder.resolve("work"),
        "--no-bars");
    execute("verify", folder.resolve("bundles").resolve(preset).toString());
  }

  private double auc(String preset, String file, String... more) {
    List<String> arguments = new ArrayList<>(List.of("evaluate", "--no-bars"));
    arguments.addAll(List.of(more));
    arguments.add(folder.resolve("bundles").resolve(preset).toString());
    arguments.add(folder.resolve(file).toString());
    execute(arguments.toArray(String[]::new));
    Matcher found = Pattern.compile("auc +([0-9.]+)").matcher(said.toString());
    assertThat(found.find()).as(said.toString()).isTrue();
    return Double.parseDouble(found.group(1));
  }

  private void write(String file, List<String> lines) throws IOException {
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(folder.resolve(file)))) {
      out.write((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Films with a drama among their genres are liked; some have no genre and no year. */
  private static List<String> ratings(int count, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<String> lines =
        new ArrayList<>(List.of("label,user,item,age,gender,occupation,zip,year,genres"));
    for (int i = 0; i < count; i++) {
      List<String> genres =
          GENRES.stream().filter(_ -> random.nextInt(3) == 0).limit(random.nextInt(7)).toList();
      lines.add(
          String.format(
              Locale.ROOT,
              "%d,%d,%d,%d,%s,%s,%05d,%s,%s",
              genres.contains("Drama") ? 1 : 0,
              1 + random.nextInt(40),
              1 + random.nextInt(60),
              7 + random.nextInt(60),
              random.nextBoolean() ? "F" : "M",
              random.nextBoolean() ? "artist" : "student",
              random.nextInt(30),
              random.nextInt(20) == 0 ? "" : String.valueOf(1930 + random.nextInt(60)),
              String.join("|", genres)));
    }
    return lines;
  }

  /** Ads that were counted often in the first column are clicked; a third of all cells is empty. */
  private static List<String> ads(int count, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int first = random.nextInt(1000);
      List<String> cells = new ArrayList<>();
      cells.add(first > 300 ? "1" : "0");
      cells.add(String.valueOf(first));
      for (int other = 1; other < 13; other++) {
        cells.add(random.nextInt(3) == 0 ? "" : String.valueOf(random.nextInt(-1, 5000)));
      }
      for (int category = 0; category < 26; category++) {
        cells.add(random.nextInt(3) == 0 ? "" : String.format("%08x", random.nextInt(50)));
      }
      lines.add(String.join("\t", cells));
    }
    return lines;
  }

  @Test
  void ml100k_genresThatSayTheLabel_areLearnt() throws IOException {
    write("train.csv.gz", ratings(8000, 1));
    write("valid.csv.gz", ratings(1000, 2));
    write("test.csv.gz", ratings(1000, 3));
    train("ml100k");
    assertThat(auc("ml100k", "test.csv.gz")).isGreaterThan(0.9);
  }

  @Test
  void criteo_countThatSaysTheLabel_isLearnt() throws IOException {
    write("train.tsv.gz", ads(4000, 1));
    write("later.tsv.gz", ads(1000, 2));
    train("criteo");
    // 32 steps at rising learning rates.
    assertThat(auc("criteo", "later.tsv.gz", "--format=criteo-kaggle")).isGreaterThan(0.7);
  }
}
