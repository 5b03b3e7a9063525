package dev.wukong.bundle;

import dev.wukong.data.Table;
import dev.wukong.text.ShownText;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Which names folders and files of bundles may have: none can lead out of its folder. */
final class BundleNames {
  static final long MAX_VERSION = 999_999_999_999_999_999L;
  static final String TRAIN = "train.onnx";
  static final String DENSE = "dense.safetensors";
  static final String VOCABULARIES = "vocabularies.json";
  static final String ROWS = "rows";
  static final String STATE = "state";
  static final String TEMPORARY = ".tmp-";
  static final String LOCK = ".lock";

  private static final Pattern MODEL = Pattern.compile("[a-z0-9_-]{1,64}");
  private static final Pattern VERSION = Pattern.compile("[1-9][0-9]{0,17}");
  private static final Pattern TABLE = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,139}");
  private static final Pattern FILE =
      Pattern.compile("(?:[A-Za-z0-9_][A-Za-z0-9_-]{0,31}/)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,159}");
  private static final Pattern PART = Pattern.compile("(rows|state)/(.+)-([0-9]{5})\\.safetensors");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  private BundleNames() {}

  /** A file with rows of a table, or their state. */
  record Part(String folder, String table, int number) {}

  static void checkModel(String model) throws BundleException {
    if (!MODEL.matcher(model).matches()) {
      throw new BundleException(
          "model name '%s' is not allowed, it must match %s".formatted(ShownText.of(model), MODEL));
    }
  }

  static boolean isModel(String name) {
    return MODEL.matcher(name).matches();
  }

  static boolean isVersion(String name) {
    return VERSION.matcher(name).matches();
  }

  static long checkVersion(String name) throws BundleException {
    if (!isVersion(name)) {
      throw new BundleException(
          "version '%s' is not allowed, it must be a number from 1".formatted(ShownText.of(name)));
    }
    return Long.parseLong(name);
  }

  static void checkFile(String name) throws BundleException {
    if (!FILE.matcher(name).matches() || name.equals(Manifest.FILE)) {
      throw new BundleException(
          "file name '%s' is not allowed, it must match %s and not be %s"
              .formatted(ShownText.of(name), FILE, Manifest.FILE));
    }
  }

  static void checkTable(Table table) throws BundleException {
    if (!TABLE.matcher(table.name()).matches()) {
      throw new BundleException(
          "table name '%s' is not allowed, it must match %s"
              .formatted(ShownText.of(table.name()), TABLE));
    }
  }

  static boolean isSha256(String text) {
    return SHA256.matcher(text).matches();
  }

  static String part(String folder, Table table, int number) {
    return String.format(Locale.ROOT, "%s/%s-%05d.safetensors", folder, table.name(), number);
  }

  /** The part that {@code file} names, or null if it lies in neither folder of parts. */
  static @Nullable Part part(String file) throws BundleException {
    if (!file.startsWith(ROWS + "/") && !file.startsWith(STATE + "/")) {
      return null;
    }
    Matcher matcher = PART.matcher(file);
    if (!matcher.matches()) {
      throw new BundleException(
          "file '%s' is not named like a part, %s".formatted(ShownText.of(file), PART));
    }
    return new Part(matcher.group(1), matcher.group(2), Integer.parseInt(matcher.group(3)));
  }
}
