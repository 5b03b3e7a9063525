package dev.wukong.data;

/**
 * A numeric feature of {@code width} values a row (a vector where more than one).
 *
 * @param optional the value may be absent; the graph then sees zeros and a presence column of 0
 * @param separator what stands between the values of a vector in one text cell
 */
public record NumberFeature(
    String name,
    Scope scope,
    String column,
    int width,
    Transform transform,
    boolean optional,
    String separator)
    implements Feature {

  /** The most values a vector may have. */
  public static final int MAX_WIDTH = 65_536;

  public NumberFeature {
    Names.check("feature", name);
    Names.checkColumn(name, column);
    if (width < 1 || width > MAX_WIDTH) {
      throw new DataException(
          "feature '%s': width is %d; 1 to %d are allowed".formatted(name, width, MAX_WIDTH));
    }
    if (separator.isEmpty()) {
      throw new DataException(
          "feature '%s': separator is empty; at least one character is needed".formatted(name));
    }
  }

  /** A feature whose cells separate values by {@link IdFeature#SEPARATOR}. */
  public NumberFeature(
      String name, Scope scope, String column, int width, Transform transform, boolean optional) {
    this(name, scope, column, width, transform, optional, IdFeature.SEPARATOR);
  }
}
