package dev.wukong.serving.testing;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What RocksDB counts of its log of writes, which is below a thousand. */
public record WriteStatistics(long writes, long syncs) {
  private static final Pattern LINE =
      Pattern.compile("Cumulative WAL: (\\d+) writes, (\\d+) syncs");

  /** Of the property {@code rocksdb.dbstats}. */
  public static WriteStatistics of(String property) {
    Matcher found = LINE.matcher(property);
    if (!found.find()) {
      throw new AssertionError("no counts of writes below a thousand: " + property);
    }
    return new WriteStatistics(Long.parseLong(found.group(1)), Long.parseLong(found.group(2)));
  }
}
