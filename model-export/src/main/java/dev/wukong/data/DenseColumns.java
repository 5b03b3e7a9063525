package dev.wukong.data;

/**
 * Where a number feature lies in {@code dense.<scope>}: {@code feature.width()} columns from {@code
 * start}, then its presence column if optional.
 */
public record DenseColumns(NumberFeature feature, int start) {
  public int presence() {
    return feature.optional() ? start + feature.width() : -1;
  }

  /** Columns taken, the presence column included. */
  public int width() {
    return feature.width() + (feature.optional() ? 1 : 0);
  }
}
