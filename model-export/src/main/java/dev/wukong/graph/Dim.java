package dev.wukong.graph;

/**
 * One dimension of a shape: a number, or a multiple of a symbol such as B (the batch's rows).
 *
 * @param factor positive; 0 is allowed for an empty fixed dimension
 * @param symbol empty for a fixed dimension
 */
public record Dim(long factor, String symbol) {
  public Dim {
    if (factor < 0) {
      throw new IllegalArgumentException("dimension " + factor + " is negative");
    }
  }

  public static Dim of(long size) {
    return new Dim(size, "");
  }

  public static Dim of(String symbol) {
    return new Dim(1, symbol);
  }

  public boolean fixed() {
    return symbol.isEmpty();
  }

  public boolean one() {
    return fixed() && factor == 1;
  }

  /** The size of a fixed dimension. */
  public long size() {
    if (!fixed()) {
      throw new IllegalStateException("dimension " + this + " has no fixed size");
    }
    return factor;
  }

  public Dim times(Dim other) {
    if (!fixed() && !other.fixed()) {
      throw new IllegalArgumentException(
          "no product of two symbolic dimensions: " + this + ", " + other);
    }
    return new Dim(Math.multiplyExact(factor, other.factor), fixed() ? other.symbol : symbol);
  }

  @Override
  public String toString() {
    return fixed() ? Long.toString(factor) : factor == 1 ? symbol : factor + symbol;
  }
}
