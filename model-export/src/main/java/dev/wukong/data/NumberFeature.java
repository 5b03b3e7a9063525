package dev.wukong.data;

/**
 * A numeric feature of {@code width} values a row (a vector where more than one).
 *
 * @param optional the value may be absent; the graph then sees zeros and a presence column of 0
 */
public record NumberFeature(
    String name, Scope scope, String column, int width, Transform transform, boolean optional)
    implements Feature {}
